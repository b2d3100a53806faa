// A profile → the file for `go build -pgo`: what the compiler reads and nothing else, as bytes that follow from content and options alone.
// Which profiles are in it and what each weighs is the repository's business; how good it is, judge.ts's.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { decodeProfile } from "../pprof/decode.ts";
import { encodeProfile } from "../pprof/encode.ts";
import { Merger } from "../pprof/merger.ts";
import type { Profile } from "../pprof/profile.ts";
import { applyPruneRules, type PruneRule } from "../pprof/prune.ts";
import { type CallChain, CallChains } from "./call-chain.ts";
import { contentOf, type LeftOutSamples, type PgoContent } from "./content.ts";
import { isMisplaced, isReadableName, type PgoEdges, pgoEdges } from "./edges.ts";
import { type LeftOutCalls, leaveOutCalls } from "./left-out-calls.ts";

export interface PgoOptions extends LeftOutCalls {
  readonly prune: readonly PruneRule[];
  /** So many of the innermost locations of each stack: 2 or more, or 0 for all. */
  readonly keepLocations: number;
}

/** As it is. */
export const PLAIN_PGO_OPTIONS: PgoOptions = { prune: [], drop: [], noInline: [], keepLocations: 0 };

export interface PreparedPgo {
  /** Uncompressed protobuf in the canonical form of a merge, alone in its ArrayBuffer. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the compiler makes of these bytes. */
  readonly edges: PgoEdges;
  readonly content: PgoContent;
}

/** Sums stay below this, so that the compiler's own, of several edges for each sample, do not wrap. */
const LARGEST_SUM = 2n ** 62n;

/**
 * Of a valid uncompressed profile: a merge, or what `summarize` has read. In this order: only the columns samples/count and cpu/nanoseconds
 * are left, in that order, or the one that is there; labels go; `prune`; samples go that harm:
 * - with a negative value, which is no measurement;
 * - with a call from a frame that does not say where its function begins (start_line 0, or no function at all): the compiler takes the line of
 *   the call from there, so that the edge would be at a line that means nothing. Frames that call nothing may lack it;
 * - with a name that has a line break or 64 KiB: `go build` hands edges to the compiler line by line, and fails or loses edges.
 * Then calls go that are left out. Stacks are cut to `keepLocations` after `prune`, and what has become equal is added. Where no call is left,
 * no sample is: the compiler takes such a file for no profile, where it might refuse one without start lines.
 *
 * Names, addresses, lines and files stay as they are, and so do mappings, period, time (the earliest) and duration (the sum). Comments,
 * drop_frames, keep_frames, default_sample_type and doc_url go: the compiler reads none, and the same content is to give the same bytes.
 *
 * Throws `invalid` for a profile without these columns and for bad options, `too-large` for sums beyond 2^62.
 */
export function preparePgo(raw: Uint8Array, options: PgoOptions, limits: Limits): PreparedPgo {
  const { profile, edges, content } = reduce(raw, options, limits);
  const merger = new Merger({ limits });
  merger.add(encodeProfile(profile, "latin1"), 0);
  return { bytes: merger.finish().bytes, edges, content };
}

/** The edges alone: for profiles that are compared and not kept, such as halves. Throws as preparePgo() does. */
export function preparedEdges(raw: Uint8Array, options: PgoOptions, limits: Limits): PgoEdges {
  return reduce(raw, options, limits).edges;
}

function reduce(raw: Uint8Array, options: PgoOptions, limits: Limits) {
  const { keepLocations } = options;
  if (!Number.isSafeInteger(keepLocations) || keepLocations < 0 || keepLocations === 1) {
    throw new DomainError(
      "invalid",
      `Cannot keep ${keepLocations} locations of a stack: the compiler looks at two, so 2 or more, or 0 for all`,
    );
  }
  // google/pprof's rules go by the whole stack.
  const innermost = keepLocations > 0 && options.prune.length === 0 ? keepLocations : Number.POSITIVE_INFINITY;
  const profile = withPgoColumns(decodeProfile(raw, { encoding: "latin1", innermost }));
  applyPruneRules(profile, options.prune, limits);
  if (keepLocations > 0) {
    for (const sample of profile.samples) sample.locationIds = sample.locationIds.slice(0, keepLocations);
  }
  const all = pgoEdges(profile);
  const leftOut = dropHarmful(profile);
  leaveOutCalls(profile, options, limits);
  const edges = pgoEdges(profile);
  if (edges.edges.length === 0) profile.samples = [];
  const content = contentOf(profile, edges, { all, leftOut });
  for (const sum of [content.samples, content.cpuNs ?? 0n, edges.totalWeight]) checkSum(sum, edges.isWrapped);
  return { profile, edges, content };
}

/** The same tables, under a header of which only what a PGO profile has is left. */
function withPgoColumns(profile: Profile): Profile {
  const { sampleTypes } = profile;
  const places = ["samples/count", "cpu/nanoseconds"]
    .map((name) => sampleTypes.findIndex(({ type, unit }) => `${type}/${unit}` === name))
    .filter((place) => place >= 0);
  if (places.length === 0) {
    const names = sampleTypes.map(({ type, unit }) => `${type}/${unit}`).join(", ");
    throw new DomainError(
      "invalid",
      `Cannot make a PGO profile of the columns ${names || "(none)"}: the compiler reads samples/count and cpu/nanoseconds`,
    );
  }
  return {
    ...profile,
    sampleTypes: places.map((place) => sampleTypes[place]!),
    samples: profile.samples.map(({ locationIds, values }) => ({
      locationIds,
      values: places.map((place) => values[place]!),
      labels: [],
    })),
    comments: [],
    dropFrames: "",
    keepFrames: "",
    defaultSampleType: "",
    docUrl: "",
  };
}

function dropHarmful(profile: Profile): LeftOutSamples {
  const chains = new CallChains(profile);
  const harmOf = new Map<CallChain, keyof LeftOutSamples | undefined>();
  const leftOut = { negative: 0, withoutStartLine: 0, unreadableName: 0 };
  profile.samples = profile.samples.filter((sample) => {
    const chain = chains.of(sample);
    if (!harmOf.has(chain)) harmOf.set(chain, chainHarm(chain));
    const harm = sample.values.some((value) => value < 0n) ? "negative" : harmOf.get(chain);
    if (harm !== undefined) leftOut[harm]++;
    return harm === undefined;
  });
  return leftOut;
}

function chainHarm(chain: CallChain): keyof LeftOutSamples | undefined {
  if (isMisplaced(chain)) return "withoutStartLine";
  return chain.every(({ node }) => isReadableName(node.name)) ? undefined : "unreadableName";
}

function checkSum(sum: bigint, isWrapped: boolean): void {
  if (sum <= LARGEST_SUM && !isWrapped) return;
  throw new DomainError(
    "too-large",
    `Cannot make a PGO profile: its values sum to ${isWrapped ? "more than int64 holds" : sum}, and at most 2^62 are allowed; choose fewer profiles, or lower weights`,
    { subject: "result" },
  );
}
