// The push itself: sources → prepared profiles → requests, several at a time, and each outcome to whoever asked. Printing is report.ts.

import type { Client } from "@connectrpc/connect";
import type { ProfileService } from "../../../gen/profusion/v1/profile_service_pb.ts";
import { DomainError } from "../../model/errors.ts";
import type { Journal } from "./journal.ts";
import type { Outcome } from "./outcome.ts";
import { Patience } from "./patience.ts";
import { type FileStamp, type Naming, nameSource, type PreparedProfile, prepare, stampOf } from "./prepare.ts";
import { Sender } from "./send.ts";
import type { Source } from "./sources.ts";

/** Of one request: half of what the server commits at once, so that one half is read while the other is written. */
export const REQUEST_PROFILES = 32;
export const REQUEST_BYTES = 1024 * 1024;

/** What every verb that sends many profiles is told. */
export interface SendingPlan {
  client: Client<typeof ProfileService>;
  server: string;
  /** What an earlier run had acknowledged is not sent. */
  journal: Journal;
  /** Requests at a time. */
  parallel: number;
  /** How long to wait for a server that does not answer. */
  waitMs: number;
  /** Only says what would be sent. */
  dryRun: boolean;
  /** Ends the sending as it stands; its reason is a DomainError. */
  signal: AbortSignal;
}

export interface PushPlan extends SendingPlan {
  sources: readonly Source[];
  naming: Naming;
  settle: (at: number, outcome: Outcome) => void;
}

interface Entry {
  /** In the plan's sources. */
  at: number;
  stamp: FileStamp | undefined;
  profile: PreparedProfile;
}

/** Settles every source. Resolves with what stopped the push before its end, where something did. */
export async function runPush(plan: PushPlan): Promise<DomainError | undefined> {
  const run = new PushRun(plan);
  await Promise.all(Array.from({ length: plan.parallel }, () => run.work()));
  return run.end();
}

class PushRun {
  readonly #plan: PushPlan;
  readonly #sender: Sender;
  #next = 0;

  constructor(plan: PushPlan) {
    const { client, server, signal, waitMs } = plan;
    this.#plan = plan;
    this.#sender = new Sender({ client, server, patience: new Patience(waitMs), signal });
  }

  async work(): Promise<void> {
    const { sources } = this.#plan;
    while (this.#goesOn()) {
      const batch: Entry[] = [];
      let bytes = 0;
      while (this.#goesOn() && batch.length < REQUEST_PROFILES && bytes < REQUEST_BYTES) {
        const at = this.#next++;
        const entry = await this.#begin(at);
        if (entry === undefined) continue;
        batch.push(entry);
        bytes += entry.profile.bytes.length;
        if (sources[at]!.kind === "url") break; // the next may take its time
      }
      if (batch.length > 0) await this.#finish(batch);
    }
  }

  end(): DomainError | undefined {
    const { sources, settle, signal } = this.#plan;
    while (this.#next < sources.length) settle(this.#next++, { state: "unsent" });
    return signal.aborted ? (signal.reason as DomainError) : this.#sender.stop;
  }

  #goesOn(): boolean {
    return this.#next < this.#plan.sources.length && !this.#sender.stop && !this.#plan.signal.aborted;
  }

  /** Undefined where nothing of it is to be sent: it is settled then. */
  async #begin(at: number): Promise<Entry | undefined> {
    const { sources, naming, journal, dryRun, signal, settle } = this.#plan;
    const source = sources[at]!;
    try {
      if (dryRun && source.kind === "url") {
        settle(at, { state: "planned", ...nameSource(source, naming), timeNs: undefined, warnings: [] });
        return undefined;
      }
      const stamp = source.kind === "file" ? await stampOf(source.path) : undefined;
      const id = stamp && journal.idOf(stamp);
      if (id !== undefined) {
        settle(at, { state: "resumed", id });
        return undefined;
      }
      const profile = await prepare(source, stamp, naming, signal);
      if (!dryRun) return { at, stamp, profile };
      const timeNs = profile.ownTimeNs === 0n ? naming.createdAtNs : profile.ownTimeNs;
      settle(at, { state: "planned", ...profile.named, timeNs, warnings: profile.warnings });
    } catch (error) {
      if (signal.aborted) settle(at, { state: "unsent" });
      else if (error instanceof DomainError) settle(at, { state: "refused", failure: error });
      else throw error;
    }
    return undefined;
  }

  async #finish(batch: readonly Entry[]): Promise<void> {
    const { journal, settle } = this.#plan;
    const outcomes = await this.#sender.send(batch.map(({ profile }) => profile));
    const acknowledged = outcomes.flatMap((outcome, nth) => {
      const { stamp } = batch[nth]!;
      return outcome.state === "stored" && stamp ? [[stamp, outcome.id] as const] : [];
    });
    journal.add(acknowledged);
    for (const [nth, outcome] of outcomes.entries()) settle(batch[nth]!.at, outcome);
  }
}
