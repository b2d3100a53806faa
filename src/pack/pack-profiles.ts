// What a pack says of each of its profiles, as columns: enough to choose among them without their samples.

import type { Labels } from "../model/labels.ts";
import { type Pack, readSection, type Section, sectionName } from "./format.ts";
import { NumberReader, NumberWriter } from "./number-columns.ts";
import { damagedPack } from "./pack-damage.ts";

/** How a pack holds a profile. `rows`: it is written again from its rows. `both`: its rows are there, and its bytes. `bytes`: these alone. */
export const KIND = { rows: 0, both: 1, bytes: 2 } as const;

/** Profiles of a block, of which one section has the columns. */
export const BLOCK_PROFILES = 64;

/** One entry of each list per profile, in the order of the pack: by series, time, id. */
export interface PackProfiles {
  readonly count: number;
  /** Labels of each series. */
  readonly labels: readonly Labels[];
  readonly series: Int32Array;
  /** Start time as the catalog has it, ns. */
  readonly timesNs: BigInt64Array;
  readonly receivedNs: BigInt64Array;
  readonly seqs: BigInt64Array;
  /** Of the upload. */
  readonly sizesBytes: BigInt64Array;
  /** As the profile itself says. */
  readonly ownTimesNs: BigInt64Array;
  readonly durationsNs: BigInt64Array;
  readonly periods: BigInt64Array;
  readonly kinds: Int32Array;
  /** Samples, as they were written; 0 where the pack has the bytes alone. */
  readonly rowCounts: Int32Array;
  /** Tuples of pack-heads.ts. */
  readonly headings: Int32Array;
  readonly processes: Int32Array;
  readonly uses: Int32Array;
  readonly skeletons: Int32Array;
}

const TUPLES = ["headings", "processes", "uses", "skeletons"] as const;

export function encodeProfiles(profiles: PackProfiles): Section {
  const out = new NumberWriter();
  const { count, timesNs, ownTimesNs } = profiles;
  const labels = Buffer.from(JSON.stringify(profiles.labels.map((set) => set.map(({ name, value }) => [name, value]))));
  out.number(count);
  out.number(labels.length);
  out.bytes(labels);
  const differences = (values: BigInt64Array, from: (at: number) => bigint) => {
    for (let at = 0; at < count; at++) out.bigint(values[at]! - from(at));
  };
  const before = (values: BigInt64Array) => differences(values, (at) => (at === 0 ? 0n : values[at - 1]!));
  out.numbers(profiles.series);
  before(timesNs);
  differences(profiles.receivedNs, (at) => timesNs[at]! + profiles.durationsNs[at]!);
  before(profiles.seqs);
  before(profiles.sizesBytes);
  differences(ownTimesNs, (at) => timesNs[at]!);
  before(profiles.durationsNs);
  before(profiles.periods);
  out.numbers(profiles.kinds);
  out.numbers(profiles.rowCounts);
  for (const name of TUPLES) out.numbers(profiles[name]);
  return { kind: "profiles", part: 0, bytes: out.finish() };
}

/** Throws `unavailable`, naming the section that is damaged. */
export function decodeProfiles(pack: Pack): PackProfiles {
  const from = new NumberReader(sectionName("profiles"), readSection(pack, "profiles"));
  const count = from.number(from.content.length);
  if (count !== pack.profiles) damagedPack(from.section, `it has ${count} profiles, the directory ${pack.profiles}`);
  const labels = parseLabels(from.section, from.bytes(from.number(from.content.length)));
  const series = from.numbers(count, labels.length);
  const timesNs = running(from.bigints(count));
  const sinceEndNs = from.bigints(count);
  const seqs = running(from.bigints(count));
  const sizesBytes = running(from.bigints(count));
  const ownTimesNs = from.bigints(count);
  const durationsNs = running(from.bigints(count));
  const periods = running(from.bigints(count));
  for (let at = 0; at < count; at++) {
    ownTimesNs[at] = ownTimesNs[at]! + timesNs[at]!;
    sinceEndNs[at] = sinceEndNs[at]! + timesNs[at]! + durationsNs[at]!;
  }
  const kinds = from.numbers(count, KIND.bytes + 1);
  const rowCounts = from.numbers(count);
  if (kinds.some((kind, at) => kind === KIND.bytes && rowCounts[at] !== 0)) {
    damagedPack(from.section, "it counts rows of a profile that has none");
  }
  const [headings, processes, uses, skeletons] = TUPLES.map(() => from.numbers(count));
  from.end();
  return {
    count,
    labels,
    series,
    timesNs,
    receivedNs: sinceEndNs,
    seqs,
    sizesBytes,
    ownTimesNs,
    durationsNs,
    periods,
    kinds,
    rowCounts,
    headings: headings!,
    processes: processes!,
    uses: uses!,
    skeletons: skeletons!,
  };
}

/** Differences → sums, in place. */
function running(values: BigInt64Array): BigInt64Array {
  for (let at = 1; at < values.length; at++) values[at] = values[at]! + values[at - 1]!;
  return values;
}

function parseLabels(section: string, bytes: Uint8Array): Labels[] {
  try {
    const sets = JSON.parse(Buffer.from(bytes).toString("utf8")) as [string, string][][];
    return sets.map((set) => set.map(([name, value]) => ({ name, value })));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) damagedPack(section, "its labels are none");
    throw error;
  }
}

/** Digests are cut: what they are compared with is computed from the bytes, and the catalog has them whole. */
export const DIGEST_BYTES = 16;
const ID_BYTES = 16;

/** Who the profiles are, which merges need not know. */
export interface PackIdentities {
  /** ID_BYTES each. */
  readonly ids: Uint8Array;
  /** The first DIGEST_BYTES of each SHA-256. */
  readonly digests: Uint8Array;
}

/** `ids` and whole `digests`, one behind the other. */
export function encodeIdentities(
  ids: readonly Uint8Array[],
  digests: readonly Uint8Array[],
  timesNs: BigInt64Array,
): Section {
  const areTimed = ids.every((id, at) => timeOf(id) === timesNs[at]! / 1_000_000n);
  const kept = areTimed ? 6 : 0;
  const parts = [Uint8Array.of(kept), ...ids.map((id) => id.subarray(kept))];
  for (const digest of digests) parts.push(digest.subarray(0, DIGEST_BYTES));
  return { kind: "identities", part: 0, bytes: Buffer.concat(parts) };
}

/** Throws `unavailable`, naming the section that is damaged. */
export function decodeIdentities(pack: Pack, { count, timesNs }: PackProfiles): PackIdentities {
  const content = readSection(pack, "identities");
  const left = content[0] ?? 0;
  const length = ID_BYTES - left;
  if (left > 6 || content.length !== 1 + count * (length + DIGEST_BYTES))
    damagedPack("identities", "its size is false");
  const ids = new Uint8Array(count * ID_BYTES);
  const view = Buffer.from(ids.buffer);
  for (let at = 0; at < count; at++) {
    if (left > 0) view.writeUIntBE(Number(BigInt.asUintN(48, timesNs[at]! / 1_000_000n)), at * ID_BYTES, 6);
    ids.set(content.subarray(1 + at * length, 1 + (at + 1) * length), at * ID_BYTES + left);
  }
  return { ids, digests: new Uint8Array(content.subarray(1 + count * length)) };
}

function timeOf(id: Uint8Array): bigint {
  return BigInt(Buffer.from(id.buffer, id.byteOffset, 6).readUIntBE(0, 6));
}
