// Packs what is due: looks, plans (pack-policy.ts), and makes one pack set after another. A set is made in steps: profiles are read and
// added, packs written and verified, then the catalog switches to them in one commit, and what they replace is freed. Whatever is
// interrupted leaves the state of before; objects that no row names are deleted at the next start.

import { setTimeout as delay } from "node:timers/promises";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { parseProfileId } from "../model/profile-id.ts";
import { quote } from "../model/text.ts";
import { earlierOf, NS_PER_MS } from "../model/time.ts";
import type { BlobStore, ObjectReference } from "../storage/blob-store.ts";
import type { Catalog } from "../storage/catalog.ts";
import type { PackFile, PackRows, PackSet } from "../storage/pack-catalog.ts";
import { PACK_NAMES, packIdOf, packName } from "../storage/pack-name.ts";
import type { CheckAnswer } from "./pack-check.ts";
import type { AddAnswer, FinishAnswer, VerifyAnswer } from "./pack-job.ts";
import { DAY_NS, HOUR_NS, type PackPlan, planPacks, profilesOf } from "./pack-policy.ts";
import type { PackMessage } from "./pack-worker.ts";
import type { ReadGuard } from "./read-guard.ts";
import type { Reclaim } from "./reclaim.ts";
import type { PackResult, VerifyResult } from "./repository.ts";
import { Thread } from "./thread.ts";

/** What becomes of the bytes as they were sent, once they are packed and verified. A number: they go so long after their receipt, in ns. */
export type OriginalsPolicy = "until-packed" | "keep" | { keptNs: bigint };

export interface PackerOptions {
  catalog: Catalog;
  blobs: BlobStore;
  reads: ReadGuard;
  reclaim: Reclaim;
  limits: Limits;
  nowNs: () => bigint;
  originals: OriginalsPolicy;
  /** Called when a pack is gone. */
  forget: (packId: number) => void;
  observe: (event: PackEvent) => void;
}

export type PackEvent =
  | { kind: "packed"; reason: PackPlan["reason"]; profiles: number; packs: number; bytes: number; durationMs: number }
  | { kind: "pack-refused"; profiles: number; message: string }
  | { kind: "pack-damage"; message: string }
  | { kind: "pack-failed"; message: string; error: unknown };

/** Ids in one commit: uploads wait for no more. */
const SLICE = 100;
/** Runs of one plan: each leaves out what the one before could not write again. */
const RUNS_MAX = 5;

export class Packer {
  readonly #options: PackerOptions;
  readonly #thread: Thread;
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  /** Plans that failed are left alone until then. By window. */
  readonly #failedUntil = new Map<string, bigint>();
  /** For the policy of originals: before then no profile of the segment can go. */
  readonly #keptUntil = new Map<number, bigint>();
  #running = "";
  #lastFailure = "";
  #backlogNs: bigint | undefined;

  constructor(options: PackerOptions) {
    this.#options = options;
    const { blobs, limits } = options;
    this.#thread = new Thread(new URL("./pack-worker.ts", import.meta.url), { source: blobs.source(), limits });
  }

  /** Call it once: cleans up after the last process, then, with `looks`, looks every now and then what is due. */
  begin(looks: boolean): void {
    void this.#inTurn(() => this.#cleanUp()).catch((error) => this.#failed("could not clean up packs", error));
    if (looks) this.#lookLater();
  }

  #lookLater(): void {
    this.#timer = setTimeout(async () => {
      await this.#inTurn(() => this.#pass(false, () => {})).catch((error) => {
        if (!this.#isStopped) this.#failed("could not look for what to pack", error);
      });
      if (!this.#isStopped) this.#lookLater();
    }, this.#options.limits.packPassMs).unref();
  }

  /** Packs all that is loose now, and frees the bytes of what was packed. Throws what the first plan that failed threw, when all have run. */
  packNow(tell: (progress: string) => void): Promise<PackResult> {
    return this.#inTurn(async () => {
      const { blobs, reclaim } = this.#options;
      const result = await this.#pass(true, tell);
      tell("freeing segments");
      await blobs.sealSegments();
      reclaim.request();
      await reclaim.idle();
      return result;
    });
  }

  status(): { running: string; lastFailure: string; backlogNs?: bigint } {
    const backlog = this.#backlogNs !== undefined && { backlogNs: this.#backlogNs };
    return { running: this.#running, lastFailure: this.#lastFailure, ...backlog };
  }

  /** Deletes packs that a run wrote and never switched to. */
  async #cleanUp(): Promise<void> {
    const { catalog, blobs, observe } = this.#options;
    const { named, last } = await catalog.packIds();
    const present = (await blobs.list(PACK_NAMES)).map(packIdOf).filter((packId) => packId !== undefined);
    const absent = new Set(named);
    for (const packId of present) {
      if (absent.delete(packId)) continue;
      // The catalog may be an old copy, and the pack all that is left of its profiles.
      if (packId > last)
        observe({
          kind: "pack-damage",
          message: `Pack ${packId} is kept, though the catalog, which ends before it, does not name it`,
        });
      else await blobs.deleteObject(packName(packId));
    }
    for (const packId of absent) {
      observe({ kind: "pack-damage", message: `Pack ${packId} is absent, though the catalog names it` });
    }
  }

  /** Resolves when nothing is under way: what is interrupted is taken up by the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
    await this.#thread.close();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #pass(everything: boolean, tell: (progress: string) => void): Promise<PackResult> {
    const { catalog, nowNs, limits, reclaim } = this.#options;
    const pace = everything ? FULL_PACE : limits.packSharePercent;
    for (const { setId } of await catalog.packSets({ unsettled: true })) await this.#settle(setId, pace);
    const plans = await this.#plans(everything);
    const total: PackResult = { profiles: 0, packs: 0, bytes: 0, refused: 0 };
    let failure: unknown;
    for (const [at, plan] of plans.entries()) {
      this.#checkStopped();
      this.#running = this.#describe(plan);
      tell(`${at} of ${plans.length}: ${this.#running}`);
      try {
        add(total, await this.#carryOut(plan, pace));
      } catch (error) {
        if (this.#isStopped) throw error;
        failure ??= error;
        this.#failedUntil.set(windowOf(plan), nowNs() + RETRY_NS);
        this.#failed(`could not pack ${this.#running}`, error);
      }
    }
    this.#running = "";
    if (failure === undefined) this.#lastFailure = "";
    this.#backlogNs = undefined;
    await this.#releaseOld(pace);
    if (total.packs > 0) reclaim.request();
    if (everything && failure !== undefined) throw failure;
    return total;
  }

  async #plans(everything: boolean): Promise<PackPlan[]> {
    const { catalog, nowNs, limits } = this.#options;
    const hours = await catalog.looseHours();
    const sets = new Map<number, PackSet>();
    const days = new Map<string, { key: { serviceId: number; typeId: number; shapeId: number }; startNs: bigint }>();
    const deletedShare = limits.packRewritePercent / 100;
    const due = [...(await catalog.packSets({ level: "hour" })), ...(await catalog.packSets({ deletedShare }))];
    for (const { serviceId, typeId, shapeId, startNs } of [...hours, ...due]) {
      const dayNs = startNs - (startNs % DAY_NS);
      days.set(`${serviceId} ${typeId} ${shapeId} ${dayNs}`, { key: { serviceId, typeId, shapeId }, startNs: dayNs });
    }
    for (const { key, startNs } of days.values()) {
      for (const set of await catalog.packSets({ key, startNs, endNs: startNs + DAY_NS })) sets.set(set.setId, set);
    }
    const now = nowNs();
    const plans = planPacks({ hours, sets: [...sets.values()], nowNs: now, limits, everything }).filter(
      (plan) => everything || (this.#failedUntil.get(windowOf(plan)) ?? 0n) <= now,
    );
    const waiting = hours.filter((hour) => plans.some((plan) => isInside(plan, hour)));
    this.#backlogNs = waiting.map(({ firstReceivedNs }) => firstReceivedNs).sort((a, b) => (a < b ? -1 : 1))[0];
    return plans;
  }

  async #carryOut(plan: PackPlan, pace: number): Promise<PackResult> {
    const { observe } = this.#options;
    const startedMs = performance.now();
    for (let run = 1; ; run++) {
      const made = await this.#run(plan, pace);
      if (made.differing > 0 && run < RUNS_MAX) continue;
      if (made.differing > 0)
        throw new DomainError("unavailable", "Profiles that were packed were not what was sent, again and again");
      if (made.setId !== undefined) await this.#settle(made.setId, pace);
      await this.#free(made.freed);
      const durationMs = performance.now() - startedMs;
      observe({
        kind: "packed",
        reason: plan.reason,
        profiles: made.profiles,
        packs: made.packs,
        bytes: made.bytes,
        durationMs,
      });
      return { profiles: made.newProfiles, packs: made.packs, bytes: made.bytes, refused: made.refused };
    }
  }

  /** One try: all steps up to the switch. */
  async #run(plan: PackPlan, pace: number) {
    const { catalog, reads } = this.#options;
    // What the rows name stays readable meanwhile.
    using _reading = reads.enter();
    const { runId } = await catalog.beginPack(plan.request);
    const files: PackFile[] = [];
    try {
      const rows = await catalog.packRows(runId);
      const replaced = await catalog.packSets({ setIds: plan.replaces });
      const { refused, differing } = await this.#build(plan, rows, replaced, pace, files);
      await this.#setAside(
        rows,
        [...refused, ...differing].map(({ at }) => at),
      );
      for (const { message } of [...refused, ...differing].slice(0, 1)) {
        this.#options.observe({ kind: "pack-refused", profiles: refused.length + differing.length, message });
      }
      if (differing.length > 0) {
        await this.#abandon(runId, files);
        return { differing: differing.length, freed: [], profiles: 0, newProfiles: 0, packs: 0, bytes: 0, refused: 0 };
      }
      this.#checkStopped();
      const { setId, freed } = await catalog.switchPackSet({ runId, packs: files, replaces: plan.replaces });
      const profiles = files.reduce((sum, file) => sum + file.profiles, 0);
      const before = replaced.reduce((sum, set) => sum + profilesOf(set) - set.deleted.length, 0);
      return {
        ...(setId !== undefined && { setId }),
        differing: 0,
        freed,
        profiles,
        newProfiles: Math.max(0, profiles - before),
        packs: files.length,
        bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        refused: refused.length,
      };
    } catch (error) {
      await this.#abandon(runId, files);
      throw error;
    } finally {
      await this.#ask({ kind: "end" }).catch(() => {}); // a lost thread has nothing to end
    }
  }

  async #abandon(runId: number, files: readonly PackFile[]): Promise<void> {
    const { catalog, blobs } = this.#options;
    await catalog.abandonPack(runId);
    for (const { packId } of files) await blobs.deleteObject(packName(packId));
  }

  /** Writes and verifies the packs; `files` tells them even where this throws. */
  async #build(plan: PackPlan, rows: PackRows, replaced: readonly PackSet[], pace: number, files: PackFile[]) {
    const { catalog, blobs } = this.#options;
    const refused: { at: number; message: string }[] = [];
    const differing: { at: number; message: string }[] = [];
    if (rows.count === 0) return { refused, differing };
    const sources = replaced.flatMap(({ packs }) => packs.map(({ packId }) => blobs.objectReference(packName(packId))));
    await this.#ask({ kind: "begin", options: { signature: catalog.packNames(plan.request), rows, sources } });
    for (let isDone = false; !isDone; ) {
      const added = await this.#step<AddAnswer>({ kind: "add" }, pace);
      refused.push(...added.refused);
      isDone = added.isDone;
      if (!isDone && !added.isFull) continue;
      const finished = await this.#step<FinishAnswer | undefined>({ kind: "finish" }, pace);
      if (finished === undefined) continue;
      const packId = await catalog.nextPackId();
      files.push({ packId, profiles: finished.profiles, sizeBytes: finished.bytes.length });
      await blobs.put(packName(packId), finished.bytes);
      const reference = blobs.objectReference(packName(packId));
      for (let isVerified = false; !isVerified; ) {
        const verified = await this.#step<VerifyAnswer>({ kind: "verify", reference }, pace);
        differing.push(
          ...verified.differing.map((at) => ({ at, message: "it was not what was sent when it was written again" })),
        );
        isVerified = verified.isDone;
      }
    }
    return { refused, differing };
  }

  async #setAside(rows: PackRows, positions: readonly number[]): Promise<void> {
    for (let from = 0; from < positions.length; from += SLICE) {
      const slice = positions.slice(from, from + SLICE);
      await this.#options.catalog.setAside(slice.map((at) => rows.ids.slice(at * 16, at * 16 + 16)));
    }
  }

  async #settle(setId: number, pace: number): Promise<void> {
    const { catalog, originals } = this.#options;
    const release = originals === "until-packed";
    for (let afterId: Uint8Array | undefined; ; ) {
      this.#checkStopped();
      const from = afterId;
      afterId = await paced(pace, () => catalog.settlePackSet({ setId, release, ...(from && { afterId: from }) }));
      if (afterId === undefined) return;
    }
  }

  async #free(packIds: readonly number[]): Promise<void> {
    const { blobs, reads, forget } = this.#options;
    if (packIds.length === 0) return;
    await reads.drained();
    for (const packId of packIds) {
      forget(packId);
      await blobs.deleteObject(packName(packId));
    }
  }

  /** Where originals are kept for some time after they are packed: gives up those whose time is over. */
  async #releaseOld(pace: number): Promise<void> {
    const { catalog, originals, nowNs, reclaim } = this.#options;
    if (typeof originals === "string") return;
    const now = nowNs();
    let released = 0;
    for (const { segmentId, live } of await catalog.segments()) {
      if (live === 0 || (this.#keptUntil.get(segmentId) ?? 0n) > now) continue;
      this.#checkStopped();
      const inside = await catalog.profilesInSegment(segmentId, Number.MAX_SAFE_INTEGER);
      const packed = inside.filter((profile) => profile.packed);
      const due = packed.filter(({ receivedNs }) => receivedNs + originals.keptNs <= now);
      for (let from = 0; from < due.length; from += SLICE) {
        const ids = due.slice(from, from + SLICE).map(({ id }) => parseProfileId(id)!);
        released += await paced(pace, () => catalog.releaseOriginals(ids));
      }
      this.#keptUntil.set(
        segmentId,
        earliest(
          packed.filter((profile) => !due.includes(profile)),
          originals.keptNs,
          now,
        ),
      );
    }
    if (released > 0) reclaim.request();
  }

  /** Reads every pack, and tells of what is damaged. */
  async verify(tell: (progress: string) => void): Promise<VerifyResult> {
    const { catalog, blobs, reads } = this.#options;
    const packs = (await catalog.packSets({})).flatMap((set) => set.packs);
    const damaged: { packId: number; detail: string }[] = [];
    let profiles = 0;
    let damagedPacks = 0;
    let checked = 0;
    for (const { packId } of packs) {
      tell(`${checked} of ${packs.length} packs`);
      const check = await this.#inTurn(async () => {
        this.#checkStopped();
        using _reading = reads.enter();
        // It may have been replaced meanwhile.
        if (!(await catalog.packIds()).named.includes(packId)) return undefined;
        return this.#check(blobs.objectReference(packName(packId)));
      });
      if (check === undefined) continue;
      checked++;
      profiles += check.profiles;
      if (check.damage === undefined) continue;
      damagedPacks++;
      if (damaged.length < DAMAGED_NAMED) damaged.push({ packId, detail: check.damage });
    }
    return { packs: checked, profiles, damaged, damagedPacks };
  }

  async #check(reference: ObjectReference): Promise<{ profiles: number; damage?: string }> {
    let profiles = 0;
    for (;;) {
      const step = await this.#step<CheckAnswer>({ kind: "check", reference }, FULL_PACE);
      profiles += step.profiles;
      if (step.isDone) return { profiles, ...(step.damage !== undefined && { damage: step.damage }) };
    }
  }

  #ask<Answer>(message: PackMessage): Promise<Answer> {
    return this.#thread.request<Answer>(message, [], 0);
  }

  #step<Answer>(message: PackMessage, pace: number): Promise<Answer> {
    this.#checkStopped();
    return paced(pace, () => this.#ask<Answer>(message));
  }

  #checkStopped(): void {
    if (this.#isStopped) throw new DomainError("cancelled", "The packer was stopped");
  }

  #describe({ request, profiles, reason }: PackPlan): string {
    const { service, type } = this.#options.catalog.packNames(request);
    const time = new Date(Number(request.startNs / NS_PER_MS))
      .toISOString()
      .slice(0, request.level === "day" ? 10 : 13);
    return `${profiles} profiles of ${type} of ${quote(service)}, ${request.level} ${time} (${reason})`;
  }

  #failed(what: string, error: unknown): void {
    this.#lastFailure = `${what}: ${error instanceof Error ? error.message : String(error)}`;
    this.#options.observe({ kind: "pack-failed", message: what, error });
  }
}

/** Percent of the time. */
const FULL_PACE = 100;
const RETRY_NS = 900_000_000_000n;
const DAMAGED_NAMED = 100;

/** Waits after `work` for so long that it took `percent` of the whole. */
async function paced<Result>(percent: number, work: () => Promise<Result>): Promise<Result> {
  const startedMs = performance.now();
  const result = await work();
  if (percent < FULL_PACE) await delay((performance.now() - startedMs) * (FULL_PACE / percent - 1));
  return result;
}

function windowOf({ request }: PackPlan): string {
  const { serviceId, typeId, shapeId, startNs, endNs } = request;
  return `${serviceId} ${typeId} ${shapeId} ${startNs} ${endNs}`;
}

function isInside(
  { request }: PackPlan,
  hour: { serviceId: number; typeId: number; shapeId: number; startNs: bigint },
) {
  return (
    hour.serviceId === request.serviceId &&
    hour.typeId === request.typeId &&
    hour.shapeId === request.shapeId &&
    hour.startNs >= request.startNs &&
    hour.startNs < request.endNs
  );
}

/** When the next of these may go; an hour from now where none can as they are. */
function earliest(profiles: readonly { receivedNs: bigint }[], keptNs: bigint, nowNs: bigint): bigint {
  return profiles.reduce((first, { receivedNs }) => earlierOf(receivedNs + keptNs, first), nowNs + HOUR_NS);
}

function add(total: PackResult, one: PackResult): void {
  total.profiles += one.profiles;
  total.packs += one.packs;
  total.bytes += one.bytes;
  total.refused += one.refused;
}
