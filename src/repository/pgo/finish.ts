// The end of a PGO profile: from the sums of its halves to the file, and what the report says of it. Pure; src/repository/merge-worker.ts
// runs it.

import { hash } from "node:crypto";
import type { Limits } from "../../model/limits.ts";
import { type PgoPolicy, PLAIN_PGO_POLICY } from "../../model/pgo-policy.ts";
import { refusalText } from "../../pgo/check.ts";
import type { PgoContent } from "../../pgo/content.ts";
import { type PgoEdges, pgoEdges } from "../../pgo/edges.ts";
import { hotOverlap, type PgoOverlap } from "../../pgo/overlap.ts";
import { preparedEdges, preparePgo } from "../../pgo/prepare.ts";
import { decodeProfile } from "../../pprof/decode.ts";
import { deflate, inflate } from "../../pprof/gzip.ts";
import { Merger } from "../../pprof/merger.ts";

export interface PgoHalves {
  /** One or two gzipped merges, of the columns that the compiler reads. */
  sums: Uint8Array[];
  policy: PgoPolicy;
  /** The latest release, gzipped. */
  previous?: Uint8Array | undefined;
}

export interface PgoFinished {
  gzipped: Uint8Array;
  /** SHA-256 of the file, uncompressed, hex. */
  digest: string;
  content: PgoContent;
  /** Of the policy plain: why `go build` fails on the file, where it does. */
  fault?: string;
  /** Of two halves. */
  stability?: PgoOverlap;
  /** Against the latest release. */
  drift?: PgoOverlap;
}

/** A build takes the file for what it is, once: small is better than fast. */
const GZIP_LEVEL = 6;

/** Throws `too-large` where sums pass 2^62. */
export function finishPgo({ sums, policy, previous }: PgoHalves, limits: Limits): PgoFinished {
  const halves = sums.map((sum) => new Uint8Array(inflate(sum, limits.resultBytes)));
  const whole = halves.length === 1 ? halves[0]! : added(halves, limits);
  const { bytes, edges, content } = preparePgo(whole, policy, limits);
  // Everything as it is, whatever the compiler makes of it.
  const isPlain = policy.name === PLAIN_PGO_POLICY.name;
  const file = isPlain ? whole : bytes;
  const fault = isPlain ? refusalText(edgesOf(whole)) : undefined;
  const [a, b] = halves.map((half) => preparedEdges(half, policy, limits));
  const before = previous && edgesOf(inflate(previous, limits.resultBytes));
  return {
    gzipped: new Uint8Array(deflate(file, GZIP_LEVEL)),
    digest: hash("sha256", file, "hex"),
    content,
    ...(fault !== undefined && { fault }),
    ...(a && b && { stability: hotOverlap(a, b) }),
    ...(before && { drift: hotOverlap(edges, before) }),
  };
}

function edgesOf(raw: Uint8Array): PgoEdges {
  return pgoEdges(decodeProfile(raw, { encoding: "latin1" }));
}

function added(halves: readonly Uint8Array[], limits: Limits): Uint8Array {
  const merger = new Merger({ limits });
  for (const [at, half] of halves.entries()) merger.add(half, at);
  return merger.finish().bytes;
}
