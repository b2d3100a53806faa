// All that a builder gathered → the bytes of a pack: numbers the tables, then writes section after section.

import type { Labels } from "../model/labels.ts";
import type { Interner } from "../pprof/interner.ts";
import type { TupleInterner } from "../pprof/tuple-interner.ts";
import { type Block, blockCount, encodeBlock } from "./block.ts";
import { type EncodedPack, encodePack, type PackSignature, type Section } from "./format.ts";
import { encodeKept } from "./kept.ts";
import { numberTables, StringNumbers } from "./numbering.ts";
import { encodeOrders, type Orders } from "./orders.ts";
import type { PackedProfile } from "./pack-builder.ts";
import { type PackHeads, PROCESS_STRIDE } from "./pack-heads.ts";
import { BLOCK_PROFILES, encodeIdentities, encodeProfiles, KIND, type PackProfiles } from "./pack-profiles.ts";
import { encodeTables, type PackTables } from "./pack-tables.ts";
import type { HeadTuples } from "./profile-intake.ts";
import type { LoggedRows, RowLog } from "./row-log.ts";
import { findSamplings, isSampledPair, NO_SAMPLINGS } from "./sampling.ts";
import type { Steps } from "./steps.ts";
import { RowTotals } from "./sum.ts";
import { encodeTotals } from "./totals.ts";

export interface Gathered {
  signature: PackSignature;
  interner: Interner;
  log: RowLog;
  heads: HeadTuples;
  profiles: readonly PackedProfile[];
  level: number | undefined;
}

/** A sum is stored where it saves adding more than so many values. */
const ENTRIES_PER_TOTAL = 4;

/** A step for the tables, then one for each block, then one for each section. */
export function* assemblePack(gathered: Gathered): Steps<EncodedPack> {
  const { signature, interner, log, heads, profiles, level } = gathered;
  const strings = new StringNumbers(interner);
  const { tables, rowOf } = numberTables(interner, log.isUsed, strings);
  const packHeads = renameHeads(heads, strings);
  const columns = profileColumns(profiles);
  const named = { ...tables, ...packHeads, ...strings.content(), ...NO_SAMPLINGS };
  const isSampled = signature.shape.columns.some((_, column) => isSampledPair(signature.shape, column));
  const all: PackTables = isSampled ? { ...named, ...findSamplings(named, columns.periods[0] ?? 0n) } : named;
  const sections: Section[] = [
    encodeProfiles(columns),
    encodeIdentities(
      profiles.map(({ id }) => id),
      profiles.map(({ digest }) => digest),
      columns.timesNs,
    ),
    ...encodeTables(all),
  ];
  const next = log.replay();
  const totals = new RowTotals(tables.rowNodes.length, signature.shape.columns.length);
  let entries = 0;
  for (let part = 0; part < blockCount(profiles.length); part++) {
    yield;
    const members = profiles.slice(part * BLOCK_PROFILES, (part + 1) * BLOCK_PROFILES);
    const logged = members.map(({ rowCount }) => next(rowCount));
    const { block, orders } = sortRows(part, members, logged, rowOf, signature.shape.columns.length);
    sections.push(encodeBlock(block, columns, all, signature.shape), encodeOrders(orders, block, columns));
    for (let place = 0; place < block.profiles; place++) totals.add(block, place, 1);
    entries += block.rows.length;
    const kept = encodeKept(
      part,
      members.map((profile) => profile.kept),
    );
    if (kept) sections.push(kept);
  }
  if (entries > totals.rowCount * ENTRIES_PER_TOTAL) sections.push(encodeTotals(totals.all(), columns));
  return yield* encodePack(signature, profiles.length, sections, level);
}

/** A key that sorts as the row does, and among equal rows as they were written: there are at most 2^20 in a profile. */
const PLACES = 2 ** 21;

function sortRows(
  part: number,
  members: readonly PackedProfile[],
  logged: readonly LoggedRows[],
  rowOf: Int32Array,
  columns: number,
): { block: Block; orders: Orders } {
  const ends = new Int32Array(members.length + 1);
  logged.forEach(({ rows }, profile) => {
    ends[profile + 1] = ends[profile]! + rows.length;
  });
  const rows = new Int32Array(ends[members.length]!);
  const values = Array.from({ length: columns }, () => new Int32Array(rows.length * 2));
  const orders: Orders = { rows: [], tables: members.map(({ orders }) => orders) };
  logged.forEach((written, profile) => {
    const count = written.rows.length;
    const start = ends[profile]!;
    const keys = new Float64Array(count);
    for (let at = 0; at < count; at++) keys[at] = rowOf[written.rows[at]!]! * PLACES + at;
    keys.sort();
    const order = new Int32Array(count);
    const places = new Int32Array(count);
    for (let place = 0; place < count; place++) {
      const row = Math.floor(keys[place]! / PLACES);
      rows[start + place] = row;
      places[place] = keys[place]! - row * PLACES;
      order[places[place]!] = place;
    }
    for (let column = 0; column < columns; column++) {
      const from = written.values[column]!;
      const to = values[column]!;
      for (let place = 0; place < count; place++) {
        to[(start + place) * 2] = from[places[place]! * 2]!;
        to[(start + place) * 2 + 1] = from[places[place]! * 2 + 1]!;
      }
    }
    orders.rows.push(members[profile]!.kind === KIND.rows ? order : undefined);
  });
  return { block: { first: part * BLOCK_PROFILES, profiles: members.length, ends, rows, values }, orders };
}

/** The tuples with the pack's strings. */
function renameHeads({ headings, processes, uses, skeletons }: HeadTuples, strings: StringNumbers): PackHeads {
  const contentOf = (tuples: TupleInterner) => ({
    data: tuples.data.slice(0, tuples.ends[tuples.count]),
    ends: tuples.ends.slice(0, tuples.count + 1),
  });
  const heading = contentOf(headings);
  const process = contentOf(processes);
  heading.data.forEach((string, at) => {
    heading.data[at] = strings.of(string);
  });
  for (let at = 0; at < process.data.length; at += PROCESS_STRIDE) {
    process.data[at + 6] = strings.of(process.data[at + 6]!);
    process.data[at + 7] = strings.of(process.data[at + 7]!);
  }
  const [use, skeleton] = [contentOf(uses), contentOf(skeletons)];
  return {
    headings: heading.data,
    headingEnds: heading.ends,
    processes: process.data,
    processEnds: process.ends,
    uses: use.data,
    useEnds: use.ends,
    skeletons: skeleton.data,
    skeletonEnds: skeleton.ends,
  };
}

function profileColumns(profiles: readonly PackedProfile[]): PackProfiles {
  const { labels, series } = seriesOf(profiles);
  const integers = (of: (profile: PackedProfile) => number) => Int32Array.from(profiles, of);
  const wide = (of: (profile: PackedProfile) => bigint) => BigInt64Array.from(profiles, of);
  return {
    count: profiles.length,
    labels,
    series,
    timesNs: wide(({ timeNs }) => timeNs),
    receivedNs: wide(({ receivedNs }) => receivedNs),
    seqs: wide(({ seq }) => seq),
    sizesBytes: wide(({ sizeBytes }) => BigInt(sizeBytes)),
    ownTimesNs: wide(({ ownTimeNs }) => ownTimeNs),
    durationsNs: wide(({ durationNs }) => durationNs),
    periods: wide(({ period }) => period),
    kinds: integers(({ kind }) => kind),
    rowCounts: integers(({ rowCount }) => rowCount),
    headings: integers(({ heading }) => heading),
    processes: integers(({ process }) => process),
    uses: integers(({ uses }) => uses),
    skeletons: integers(({ skeleton }) => skeleton),
  };
}

function seriesOf(profiles: readonly PackedProfile[]): { labels: Labels[]; series: Int32Array } {
  const known = new Map<string, number>();
  const labels: Labels[] = [];
  const series = Int32Array.from(profiles, (profile) => {
    const key = JSON.stringify(profile.labels.map(({ name, value }) => [name, value]));
    const found = known.get(key) ?? labels.push(profile.labels) - 1;
    known.set(key, found);
    return found;
  });
  return { labels, series };
}
