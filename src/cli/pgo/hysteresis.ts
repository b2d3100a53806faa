// Whether a PGO profile is worth a commit: Go builds every package anew where a weight in it has changed, the standard library too.

import { hash } from "node:crypto";
import { DomainError } from "../../model/errors.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { type PgoEdges, pgoEdges } from "../../pgo/edges.ts";
import { hotOverlap } from "../../pgo/overlap.ts";
import { decodeProfile } from "../../pprof/decode.ts";
import { inflate } from "../../pprof/gzip.ts";
import { summarize } from "../../pprof/summary.ts";

/** What the repository has. */
export interface Committed {
  profile: Uint8Array;
  /** By its manifest; undefined where there is none that says. */
  publishedMs: number | undefined;
}

export interface Bounds {
  /** Share of the hot calls' weight, 0 to 1. */
  maxDrift: number;
  everyMs: number;
}

export interface Decision {
  commits: boolean;
  reason: string;
  /** Undefined where there is nothing to hold it against. */
  drift: number | undefined;
}

interface Content {
  /** Of the uncompressed bytes. */
  digest: string;
  edges: PgoEdges;
}

const DAY_MS = 86_400_000;

export function decide(
  committed: Committed | undefined,
  candidate: Uint8Array,
  { maxDrift, everyMs }: Bounds,
  nowMs: number,
): Decision {
  if (committed === undefined) return { commits: true, reason: "there is none yet", drift: undefined };
  const before = committedContent(committed);
  if (before === undefined) return { commits: true, reason: "what is there is no profile", drift: undefined };
  const now = contentOf(candidate);
  if (before.digest === now.digest) return { commits: false, reason: "nothing has changed", drift: 0 };
  const drift = 1 - hotOverlap(before.edges, now.edges).weightOverlap;
  const because = (commits: boolean, reason: string) => ({ commits, reason, drift });
  if (drift > maxDrift) return because(true, `the drift is ${percent(drift)}, more than ${percent(maxDrift)}`);
  if (committed.publishedMs === undefined) return because(true, "what is there does not say how old it is");
  const ageMs = nowMs - committed.publishedMs;
  const ages = `it is ${days(ageMs)} old, and is renewed after ${days(everyMs)}`;
  if (ageMs >= everyMs) return because(true, ages);
  return because(false, `the drift is ${percent(drift)}, not more than ${percent(maxDrift)}; ${ages}`);
}

/** Undefined where it is no profile, whatever else it is. */
function committedContent({ profile }: Committed): Content | undefined {
  try {
    return contentOf(profile);
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}

/** Throws DomainErrors for what is no profile. */
function contentOf(file: Uint8Array): Content {
  const raw = inflate(file, DEFAULT_LIMITS.inflatedBytes);
  summarize(raw, DEFAULT_LIMITS);
  return { digest: hash("sha256", raw, "hex"), edges: pgoEdges(decodeProfile(raw, { encoding: "latin1" })) };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function days(ms: number): string {
  return `${(ms / DAY_MS).toFixed(1)} d`;
}
