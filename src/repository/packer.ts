// Packs what is due: looks now and then, plans (pack-policy.ts), and has one pack set after another made (pack-run.ts). Cleans up at start
// what an earlier process left.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { quote } from "../model/text.ts";
import { NS_PER_MS } from "../model/time.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { Catalog } from "../storage/catalog.ts";
import type { PackKey, PackSet } from "../storage/pack-catalog.ts";
import { packName } from "../storage/pack-name.ts";
import { FailedPacks } from "./failed-packs.ts";
import { KeptOriginals } from "./kept-originals.ts";
import { FULL_PACE } from "./pace.ts";
import type { CheckAnswer } from "./pack-check.ts";
import type { PackEvent } from "./pack-event.ts";
import { comparePackFiles, deleteUnnamed } from "./pack-files.ts";
import type { PackPlace } from "./pack-place.ts";
import { DAY_NS, isInside, type PackPlan, planPacks } from "./pack-policy.ts";
import { carryOut, type PackRunOptions, settle } from "./pack-run.ts";
import { verifyPacks } from "./pack-verify.ts";
import type { PackMessage } from "./pack-worker.ts";
import type { ReadGuard } from "./read-guard.ts";
import type { Reclaim } from "./reclaim.ts";
import type { PackResult, PacksVerified } from "./repository.ts";
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

export class Packer {
  readonly #options: PackerOptions;
  readonly #thread: Thread;
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  readonly #failed = new FailedPacks();
  readonly #originals: KeptOriginals | undefined;
  #running = "";
  #lastFailure = "";
  #backlogNs: bigint | undefined;

  constructor(options: PackerOptions) {
    this.#options = options;
    const { catalog, blobs, limits, originals } = options;
    if (originals !== "keep") {
      this.#originals = new KeptOriginals(catalog, originals === "until-packed" ? 0n : originals.keptNs);
    }
    this.#thread = new Thread(new URL("./pack-worker.ts", import.meta.url), { source: blobs.source(), limits });
  }

  /** Call it once: cleans up after the last process, then, with `looks`, looks every now and then what is due. */
  begin(looks: boolean): void {
    void this.#inTurn(async () => {
      await comparePackFiles(this.#options, (message) => this.#reportDamage(message));
      await deleteUnnamed(this.#options);
    }).catch((error) => this.#tellFailure("could not clean up packs", error));
    if (looks) this.#lookLater();
  }

  #lookLater(): void {
    this.#timer = setTimeout(async () => {
      await this.#inTurn(() => this.#pass(false, () => {})).catch((error) => {
        if (!this.#isStopped) this.#tellFailure("could not look for what to pack", error);
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
    const run = this.#runOptions();
    await deleteUnnamed(this.#options);
    for (const { setId } of await catalog.packSets({ unsettled: true })) await settle(run, setId, pace);
    const total: PackResult = { profiles: 0, packs: 0, bytes: 0, refused: 0 };
    const failures: unknown[] = [];
    const carryOutAll = async (plans: readonly PackPlan[]) => {
      for (const [at, plan] of plans.entries()) {
        this.#checkStopped();
        this.#running = this.#describe(plan);
        tell(`${at} of ${plans.length}: ${this.#running}`);
        try {
          add(total, await this.#carryOut(run, plan, pace));
          this.#failed.succeeded(plan);
        } catch (error) {
          if (this.#isStopped) throw error;
          failures.push(error);
          this.#failed.note(plan, nowNs());
          this.#tellFailure(`could not pack ${this.#running}`, error);
        }
        await deleteUnnamed(this.#options);
      }
    };
    await carryOutAll(await this.#plans(everything, everything));
    // What can be packed without those that failed is.
    if (everything && failures.length > 0) await carryOutAll(await this.#plans(everything, false));
    this.#running = "";
    if (this.#failed.count === 0) this.#lastFailure = "";
    this.#noteBacklog(undefined);
    const released = await this.#originals?.release(nowNs(), pace, () => this.#checkStopped());
    if (total.packs > 0 || released) reclaim.request();
    if (everything && failures.length > 0) throw failures[0];
    return total;
  }

  #runOptions(): PackRunOptions {
    const { catalog, blobs, reads, originals } = this.#options;
    return {
      catalog,
      blobs,
      reads,
      release: originals === "until-packed",
      ask: (message) => this.#ask(message),
      reportDamage: (message) => this.#reportDamage(message),
      checkStopped: () => this.#checkStopped(),
    };
  }

  async #carryOut(run: PackRunOptions, plan: PackPlan, pace: number): Promise<PackResult> {
    const { observe } = this.#options;
    const startedMs = performance.now();
    const { written, kept, leftOut, ...made } = await carryOut(run, plan, pace);
    const durationMs = performance.now() - startedMs;
    const { packs, bytes } = made;
    observe({ kind: "packed", reason: plan.reason, profiles: written, kept, packs, bytes, durationMs });
    for (const reason of new Set(leftOut.map((each) => each.reason))) {
      const those = leftOut.filter((each) => each.reason === reason);
      observe({ kind: "pack-refused", reason, profiles: those.length, message: those[0]!.message });
    }
    return made;
  }

  async #plans(everything: boolean, retries: boolean): Promise<PackPlan[]> {
    const { catalog, nowNs, limits } = this.#options;
    const hours = await catalog.looseHours();
    const sets = new Map<number, PackSet>();
    const days = new Map<string, { key: PackKey; startNs: bigint }>();
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
    const isWaiting = (window: PackKey & { startNs: bigint; endNs: bigint }) =>
      !retries && this.#failed.isWaiting(window, now);
    const plans = planPacks({ hours, sets: [...sets.values()], nowNs: now, limits, everything, isWaiting });
    this.#failed.keepOnly(plans, now);
    const waiting = hours.filter((hour) => plans.some((plan) => isInside(plan, hour)));
    this.#noteBacklog(waiting.map(({ firstReceivedNs }) => firstReceivedNs).sort((a, b) => (a < b ? -1 : 1))[0]);
    return plans;
  }

  #noteBacklog(receivedNs: bigint | undefined): void {
    const { nowNs, observe } = this.#options;
    this.#backlogNs = receivedNs;
    const seconds = receivedNs === undefined ? 0 : Number((nowNs() - receivedNs) / NS_PER_MS) / 1000;
    observe({ kind: "pack-backlog", seconds, failed: this.#failed.count });
  }

  /** Reads every pack, compares it with the catalog, and tells of what is damaged. */
  verify(tell: (progress: string) => void): Promise<PacksVerified> {
    const { catalog, blobs, reads, limits } = this.#options;
    const read = (place: PackPlace) =>
      this.#inTurn(async () => {
        using _reading = reads.enter();
        // It may have been replaced meanwhile.
        if (!(await catalog.packIds()).named.includes(place.packId)) return undefined;
        const reference = blobs.objectReference(packName(place.packId));
        const answers: CheckAnswer[] = [];
        do answers.push(await this.#ask<CheckAnswer>({ kind: "check", reference, place }));
        while (!answers.at(-1)!.isDone);
        return answers;
      });
    return verifyPacks({ catalog, limits, read, tell });
  }

  async #ask<Answer>(message: PackMessage): Promise<Answer> {
    this.#checkStopped();
    return this.#thread.request<Answer>(message, [], 0);
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

  #reportDamage(message: string): void {
    this.#options.observe({ kind: "pack-damage", message });
  }

  #tellFailure(what: string, error: unknown): void {
    this.#lastFailure = `${what}: ${error instanceof Error ? error.message : String(error)}`;
    this.#options.observe({ kind: "pack-failed", message: what, error });
  }
}

function add(total: PackResult, one: PackResult): void {
  total.profiles += one.profiles;
  total.packs += one.packs;
  total.bytes += one.bytes;
  total.refused += one.refused;
}
