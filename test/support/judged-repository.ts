// A repository beside a ledger of what was sent to it and not deleted; google/pprof says what the merge of any part of that is. Needs Go.

import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { parseSelector } from "../../src/model/selector.ts";
import type { Deletion, PackResult, PushRequest, Selection } from "../../src/repository/repository.ts";
import { normalForm } from "./normal-form.ts";
import type { OpenedRepository } from "./open-repository.ts";
import type { Oracle } from "./oracle.ts";

export interface LedgerEntry {
  id: string;
  service: string;
  /** The value of its one label, `part`. */
  part: string;
  timeNs: bigint;
  raw: Uint8Array;
}

export interface Sending extends Omit<LedgerEntry, "id" | "timeNs"> {
  /** Where the profile has no believable time of its own. */
  clientTimeNs?: bigint;
}

export const select = (text: string, more: Partial<Selection> = {}): Selection => ({
  selector: parseSelector(text, DEFAULT_LIMITS),
  ...more,
});

export class JudgedRepository {
  readonly live = new Map<string, LedgerEntry>();
  readonly #opened: OpenedRepository;
  readonly #oracle: Oracle;

  constructor(opened: OpenedRepository, oracle: Oracle) {
    this.#opened = opened;
    this.#oracle = oracle;
  }

  /** Answers its id; undefined where it has no samples, which is not stored. */
  async push({ service, part, raw, clientTimeNs }: Sending): Promise<string | undefined> {
    const request: PushRequest = {
      service,
      type: "any",
      labels: [{ name: "part", value: part }],
      bytes: gzipSync(raw),
    };
    if (clientTimeNs !== undefined) request.clientTimeNs = clientTimeNs;
    const outcome = await this.#opened.repository.push(request);
    if (outcome.state !== "stored") return undefined;
    const { id, timeNs } = outcome.record;
    expect(outcome.alreadyExisted, id).toBe(this.live.has(id));
    this.live.set(id, { id, service, part, timeNs, raw });
    return id;
  }

  async packNow(): Promise<PackResult> {
    const { repository } = this.#opened;
    let operation = repository.startPack();
    while (operation.endNs === undefined) operation = await repository.operation(operation.id, 60_000);
    expect(operation.error).toBeUndefined();
    return operation.result as PackResult;
  }

  async delete(id: string): Promise<void> {
    await this.#opened.repository.delete(id);
    this.live.delete(id);
  }

  /** Answers how many; the ledger must say the same of those that are meant. */
  async deleteSelection(selection: Deletion, isMeant: (entry: LedgerEntry) => boolean): Promise<number> {
    const meant = this.entries(isMeant);
    const { etag, count } = await this.#opened.repository.previewDelete(selection);
    expect(count).toBe(meant.length);
    expect(await this.#opened.repository.deleteSelection(selection, etag)).toBe(meant.length);
    for (const { id } of meant) this.live.delete(id);
    return meant.length;
  }

  /** In canonical order: (time, id). */
  entries(isMeant: (entry: LedgerEntry) => boolean = () => true): LedgerEntry[] {
    const meant = [...this.live.values()].filter(isMeant);
    return meant.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : a.id < b.id ? -1 : 1));
  }

  /** The merge of a selection against google/pprof's of those that are meant. Answers how many of them lay in packs. */
  async compare(told: string, selection: Selection, isMeant: (entry: LedgerEntry) => boolean): Promise<number> {
    const meant = this.entries(isMeant);
    const merging = this.#opened.repository.merge({ selection, signal: new AbortController().signal });
    if (meant.length === 0) {
      await expect(merging, told).rejects.toMatchObject({ kind: "not-found" });
      return 0;
    }
    const { bytes, summary } = await merging;
    const { matched, merged, packs, loose, skipped } = summary;
    expect({ matched, merged, all: packs + loose, skipped }, told).toEqual({
      matched: meant.length,
      merged: meant.length,
      all: meant.length,
      skipped: [],
    });
    const theirs = await this.#oracle.merge(meant.map(({ raw }) => raw));
    const ours = normalForm(gunzipSync(bytes));
    if (ours.digest !== theirs.digest) {
      expect(ours.text, told).toBe(theirs.text);
      expect(ours.attributes, told).toBe(theirs.attributes);
    }
    return packs;
  }

  /** Everything that is there downloads as it was sent. */
  async compareDownloads(): Promise<void> {
    for (const { id, raw } of this.live.values()) {
      const { bytes } = await this.#opened.repository.download(id);
      const inflated = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
      expect(Buffer.compare(inflated, raw), `download of ${id}`).toBe(0);
    }
  }
}
