// The PGO profile of a service, by one of its policies: from the question to the bytes, the report and the summary.

import { hash } from "node:crypto";
import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { PGO_WINDOW_DOUBLINGS, type PgoPolicy } from "../../model/pgo-policy.ts";
import { parseSelector, type Selector } from "../../model/selector.ts";
import { formatTime, type Interval } from "../../model/time.ts";
import { type AnswerDependencies, answerOnce, type NewAnswer } from "../answer-once.ts";
import type { MergePool } from "../merge-pool.ts";
import type { Selection } from "../repository.ts";
import { type MadeWithInputs, makePgo, type PgoMade } from "./make.ts";

export interface PgoDependencies extends AnswerDependencies {
  pool: MergePool;
  nowNs: () => bigint;
}

/** A release that the new profile's drift is held against. */
export interface PreviousRelease {
  name: string;
  /** Hex, of the uncompressed bytes. */
  digest: string;
  /** Gzipped. Throws `unavailable`. */
  read: () => Promise<Uint8Array>;
}

export interface PgoRequest {
  service: string;
  policy: PgoPolicy;
  /** Narrows the policy's own selector; its services must be none. */
  narrow?: Selector | undefined;
  /** Instead of the policy's window, and never extended. */
  interval?: Interval | undefined;
  /** A value of the policy's mode label. */
  mode?: string | undefined;
  /** The window ends now instead of with the last full hour. */
  untilNow?: boolean | undefined;
  previous?: PreviousRelease | undefined;
  /** As in MergeRequest. */
  reserve?: ((answerBytes: number) => Promise<void>) | undefined;
  signal: AbortSignal;
}

const HOUR_NS = 3_600_000_000_000n;

/** Throws `not-found` where there is nothing suitable, and what merges throw. */
export function pgoProfile(dependencies: PgoDependencies, request: PgoRequest): Promise<PgoMade> {
  const { policy, previous, signal, reserve } = request;
  const form = ["pgo", policyDigest(policy), previous?.digest];
  const kept = async ({ bytes }: PgoMade) => reserve?.(bytes.length);
  return inFirstSuitableWindow(dependencies, request, (selection) =>
    answerOnce(dependencies, { selection, signal, form, kept }, async (): Promise<NewAnswer<PgoMade>> => {
      const { inputs: _tooMuchToKeep, fingerprint, ...answer } = await makePgo(dependencies, { ...request, selection });
      return { answer, fingerprint };
    }),
  );
}

/** With the names of what is in it, for its manifest. It is made anew, since names are not kept. */
export async function publishable(dependencies: PgoDependencies, request: PgoRequest): Promise<MadeWithInputs> {
  using _turn = await dependencies.gate.enter(request.signal);
  using _reading = dependencies.reads.enter();
  return await inFirstSuitableWindow(dependencies, request, (selection) =>
    makePgo(dependencies, { ...request, selection }),
  );
}

async function inFirstSuitableWindow<Made>(
  { nowNs, limits }: PgoDependencies,
  request: PgoRequest,
  make: (selection: Selection) => Promise<Made>,
): Promise<Made> {
  const selector = selectorOf(request, limits);
  const windows = windowsOf(request, nowNs());
  for (const [nth, interval] of windows.entries()) {
    try {
      return await make({ selector, ...(interval && { interval }) });
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind !== "not-found") throw error;
      if (nth === windows.length - 1) throw inWindow(error, request, interval);
    }
  }
  throw new Error("A policy has one window at least");
}

/** Says where it was looked: who has just sent a first profile asks for an hour that is not over. */
function inWindow(error: DomainError, { interval: asked, untilNow }: PgoRequest, interval?: Interval): DomainError {
  if (interval === undefined) return error;
  const hint = asked || untilNow ? "" : ", the last full hour; end=now looks up to now";
  const window = `between ${formatTime(interval.startNs)} and ${formatTime(interval.endNs)}`;
  return new DomainError("not-found", `${error.message} ${window}${hint}`, { cause: error });
}

/** Names what a policy says, its name aside. */
function policyDigest({ name: _, ...said }: PgoPolicy): string {
  const text = JSON.stringify(said, (_key, value) => (typeof value === "bigint" ? `${value}` : value));
  return hash("sha256", text, "hex");
}

/** The one window asked for; or the policy's, then twice as long, four times, and so on. Undefined: all of time. */
function windowsOf({ policy, interval, untilNow }: PgoRequest, nowNs: bigint): (Interval | undefined)[] {
  if (interval) return [interval];
  const { windowNs } = policy;
  if (windowNs === undefined) return [undefined];
  const endNs = untilNow ? nowNs : nowNs - (nowNs % HOUR_NS);
  return Array.from({ length: PGO_WINDOW_DOUBLINGS + 1 }, (_, doublings) => {
    const startNs = endNs - windowNs * 2n ** BigInt(doublings);
    return { startNs: startNs < 0n ? 0n : startNs, endNs };
  });
}

/** Those of the service that the policy, the question and the mode select, all of them together. */
export function selectorOf({ service, policy, narrow, mode }: PgoRequest, limits: Limits): Selector {
  const own = parseSelector(policy.selector, limits);
  if (mode !== undefined && policy.modeLabel === "") {
    throw new DomainError("invalid", `Cannot choose a mode: policy ${policy.name} has no mode_label`);
  }
  const matchers = mode === undefined ? [] : [{ name: policy.modeLabel, operator: "=" as const, value: mode }];
  return {
    services: [{ name: "service", operator: "=", value: service }, ...own.services, ...(narrow?.services ?? [])],
    types: [...own.types, ...(narrow?.types ?? [])],
    labels: [...own.labels, ...(narrow?.labels ?? []), ...matchers],
  };
}
