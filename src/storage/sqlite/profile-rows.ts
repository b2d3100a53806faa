// Whole rows of the profile table as they cross a thread: typed arrays, not objects. Selecting, packing and unpacking side by side.

import { formatProfileId } from "../../model/profile-id.ts";
import type { ProfileRecord } from "../../model/profile-record.ts";
import type { StoredProfile } from "../catalog.ts";
import type { SeriesIndex } from "../series-index.ts";
import { PACKED } from "./pack-sets.ts";
import type { Statements } from "./statements.ts";

/** For statements with safe integers and raw rows; `p` is the profile table. */
export const ROW_COLUMNS = `p.profile_id, p.digest, p.time_ns, p.received_ns, p.duration_ns, p.claimed_ns, p.series_id, p.seq, p.flags,
  p.shape_id, p.size_bytes, p.samples, p.submitter_id, p.segment_id, p.offset, p.external_id, p.v0, p.v1, p.v2, p.v3, p.more_totals`;

const ROW_BY_ID = `SELECT ${ROW_COLUMNS} FROM profile k INDEXED BY profile_by_id CROSS JOIN profile p
  ON p.service_id = k.service_id AND p.type_id = k.type_id AND p.profile_id = k.profile_id WHERE k.profile_id = ?`;

/** One row of ROW_COLUMNS. */
export type RawRow = [Buffer, Buffer, bigint, bigint, bigint, bigint | null, ...(bigint | null | string)[]];

export const TIME_SOURCES = ["profile", "client", "receipt"] as const satisfies ProfileRecord["timeSource"][];

/** Columns 6 to 14 of a raw row, all below 2^53, then how many totals there are and whether there is a claimed time. */
const NUMBERS = 11;
const FIRST_NUMBER = 6;
const EXTERNAL_ID = 15;
const FIRST_TOTAL = 16;
const MORE_TOTALS = 20;

export interface ProfileRows {
  count: number;
  /** 16 and 32 bytes each. */
  ids: Uint8Array<ArrayBuffer>;
  digests: Uint8Array<ArrayBuffer>;
  /** Four each: time, received, duration, claimed. */
  times: BigInt64Array<ArrayBuffer>;
  numbers: Float64Array<ArrayBuffer>;
  totals: BigInt64Array<ArrayBuffer>;
  externalIds: (string | null)[];
  submitters: Map<number, string>;
}

export function rowOf(statements: Statements, id: Uint8Array): RawRow | undefined {
  return statements.exact(ROW_BY_ID).get(Buffer.from(id)) as RawRow | undefined;
}

export function packRows(rows: readonly RawRow[], statements: Statements): ProfileRows {
  const count = rows.length;
  const packed: ProfileRows = {
    count,
    ids: new Uint8Array(count * 16),
    digests: new Uint8Array(count * 32),
    times: new BigInt64Array(count * 4),
    numbers: new Float64Array(count * NUMBERS),
    totals: new BigInt64Array(0),
    externalIds: rows.map((row) => row[EXTERNAL_ID] as string | null),
    submitters: new Map(),
  };
  const totals: bigint[] = [];
  for (const [at, row] of rows.entries()) {
    packed.ids.set(row[0], at * 16);
    packed.digests.set(row[1], at * 32);
    for (let time = 0; time < 4; time++) packed.times[at * 4 + time] = (row[2 + time] as bigint | null) ?? 0n;
    const numbers = packed.numbers.subarray(at * NUMBERS, (at + 1) * NUMBERS);
    for (let column = 0; column < 9; column++) numbers[column] = Number(row[FIRST_NUMBER + column] ?? 0);
    const own = totalsOf(row);
    totals.push(...own);
    numbers[9] = own.length;
    numbers[10] = row[5] === null ? 0 : 1;
    const submitterId = numbers[6]!;
    if (submitterId !== 0 && !packed.submitters.has(submitterId))
      packed.submitters.set(submitterId, submitterName(statements, submitterId));
  }
  packed.totals = BigInt64Array.from(totals);
  return packed;
}

function submitterName(statements: Statements, submitterId: number): string {
  return statements.value("SELECT name FROM submitter WHERE submitter_id = ?", submitterId) as string;
}

function totalsOf(row: RawRow): bigint[] {
  const own = row.slice(FIRST_TOTAL, MORE_TOTALS).filter((total) => total !== null) as bigint[];
  const more = row[MORE_TOTALS] as string | null;
  return more === null ? own : [...own, ...(JSON.parse(more) as string[]).map(BigInt)];
}

export function transferOf(rows: ProfileRows): ArrayBuffer[] {
  return [rows.ids.buffer, rows.digests.buffer, rows.times.buffer, rows.numbers.buffer, rows.totals.buffer];
}

export function unpackRows(rows: ProfileRows, index: SeriesIndex): StoredProfile[] {
  const records: StoredProfile[] = [];
  let nextTotal = 0;
  for (let at = 0; at < rows.count; at++) {
    const [seriesId, seq, flags, shapeId, sizeBytes, sampleCount, submitterId, segmentId, offset, totals, claimed] =
      rows.numbers.subarray(at * NUMBERS, (at + 1) * NUMBERS) as unknown as number[];
    const [timeNs, receivedNs, durationNs, claimedTimeNs] = rows.times.subarray(at * 4, at * 4 + 4);
    const externalId = rows.externalIds[at]!;
    records.push({
      id: formatProfileId(rows.ids.subarray(at * 16, at * 16 + 16)),
      ...index.identityOf(seriesId!),
      timeNs: timeNs!,
      timeSource: TIME_SOURCES[flags! & 3]!,
      ...(claimed && { claimedTimeNs: claimedTimeNs! }),
      durationNs: durationNs!,
      receivedNs: receivedNs!,
      sizeBytes: sizeBytes!,
      sampleCount: sampleCount!,
      digest: rows.digests.slice(at * 32, at * 32 + 32),
      ...(shapeId && { shape: index.shapeOf(shapeId) }),
      totals: [...rows.totals.subarray(nextTotal, nextTotal + totals!)],
      ...(externalId !== null && { externalId }),
      ...(submitterId && { submitter: rows.submitters.get(submitterId)! }),
      seq: seq!,
      ...(flags! & PACKED && { packed: true as const }),
      ...(segmentId === 0 && { rebuilt: true as const }),
      locator: { segmentId: segmentId!, offset: offset!, sizeBytes: sizeBytes! },
    });
    nextTotal += totals!;
  }
  return records;
}
