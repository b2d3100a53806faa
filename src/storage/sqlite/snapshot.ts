// What the series index needs at start, in typed arrays: read in a thread that has the database, applied in the one that has the index.

import type { SeriesIndex } from "../series-index.ts";
import type { Statements } from "./statements.ts";

export interface IndexSnapshot {
  seq: number;
  services: [number, string][];
  types: [number, string][];
  shapes: [number, string][];
  /** In the canonical order of labels: by name, then value, as UTF-8 bytes. */
  labelIds: Uint32Array<ArrayBuffer>;
  /** Name and value of each. */
  labelTexts: string[];
  /** Series, service and type id of each series; ids ascend. */
  series: Uint32Array<ArrayBuffer>;
  /** Label and series id of each pair, ascending. */
  postings: Uint32Array<ArrayBuffer>;
}

/** Series id, profiles, first and last ms of each series that has profiles. */
export type SeriesExtents = Float64Array<ArrayBuffer>;

const POSTINGS_PER_READ = 500_000;

export function readSnapshot(statements: Statements): IndexSnapshot {
  const pairs = (sql: string) => statements.plain(sql).all() as [number, string][];
  const labels = statements.plain("SELECT label_id, name, value FROM label ORDER BY name, value").all() as [
    number,
    string,
    string,
  ][];
  return {
    seq: statements.value("SELECT value FROM counter WHERE name = 'seq'") as number,
    services: pairs("SELECT service_id, name FROM service ORDER BY service_id"),
    types: pairs("SELECT type_id, name FROM type ORDER BY type_id"),
    shapes: pairs("SELECT shape_id, signature FROM shape ORDER BY shape_id"),
    labelIds: Uint32Array.from(labels, ([labelId]) => labelId),
    labelTexts: labels.flatMap(([, name, value]) => [name, value]),
    series: readUint32(
      statements.value(
        `SELECT group_concat(printf('%08x%08x%08x', series_id, service_id, type_id), '')
        FROM (SELECT * FROM series ORDER BY series_id)`,
      ),
    ),
    postings: readPostings(statements),
  };
}

function readPostings(statements: Statements): Uint32Array<ArrayBuffer> {
  const parts: Uint32Array[] = [];
  for (let after = [0, 0]; ; ) {
    const part = readUint32(
      statements.value(
        `SELECT group_concat(printf('%08x%08x', label_id, series_id), '') FROM (
          SELECT label_id, series_id FROM series_label WHERE (label_id, series_id) > (?, ?)
          ORDER BY label_id, series_id LIMIT ${POSTINGS_PER_READ})`,
        ...after,
      ),
    );
    parts.push(part);
    if (part.length < 2 * POSTINGS_PER_READ) break;
    after = [...part.subarray(-2)];
  }
  const joined = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    joined.set(part, end);
    end += part.length;
  }
  return joined;
}

/** An id starts with 48 bits of ms. */
export function readExtents(statements: Statements): SeriesExtents {
  const hexadecimal = statements.value(
    `SELECT group_concat(printf('%012x%012x', series_id, profiles) || substr(hex(first), 1, 12) || substr(hex(last), 1, 12), '') FROM (
        SELECT series_id, count(*) AS profiles, min(profile_id) AS first, max(profile_id) AS last
        FROM profile INDEXED BY profile_by_series GROUP BY series_id)`,
  );
  // group_concat over no rows is null.
  const bytes = Buffer.from((hexadecimal as string | null) ?? "", "hex");
  return Float64Array.from({ length: bytes.length / 6 }, (_, at) => bytes.readUIntBE(at * 6, 6));
}

function readUint32(hexadecimal: unknown): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(((hexadecimal as string | null) ?? "").length / 8);
  const bytes = Buffer.from(words.buffer);
  bytes.write((hexadecimal as string | null) ?? "", "hex");
  // printf writes big-endian; every machine that runs this reads little-endian.
  bytes.swap32();
  return words;
}

export function applySnapshot(index: SeriesIndex, snapshot: IndexSnapshot, extents: SeriesExtents): void {
  const { services, types, shapes, labelIds, labelTexts, series } = snapshot;
  const byId = Array.from(labelIds.keys()).sort((a, b) => labelIds[a]! - labelIds[b]!);
  const labels = byId.map((at) => [labelIds[at]!, labelTexts[2 * at]!, labelTexts[2 * at + 1]!] as const);
  index.takeNames({ services, types, shapes, labels, series: [] });
  const labelsOf = labelsBySeries(snapshot);
  for (let at = 0; at < series.length; at += 3) {
    const seriesId = series[at]!;
    index.takeSeries(seriesId, series[at + 1]!, series[at + 2]!, labelsOf(seriesId));
  }
  for (let at = 0; at < extents.length; at += 4) {
    index.takeRows(extents[at]!, extents[at + 1]!, extents[at + 2]!, extents[at + 3]!);
  }
  index.takeSeq(snapshot.seq);
}

/** Turns label → series into series → labels. Walking the labels in their canonical order leaves each series' labels in it. */
function labelsBySeries({ labelIds, series, postings }: IndexSnapshot): (seriesId: number) => Uint32Array {
  const lastSeriesId = series.at(-3) ?? 0;
  const start = new Uint32Array(lastSeriesId + 2);
  const firstPair = new Map<number, number>();
  for (let at = 0; at < postings.length; at += 2) {
    start[postings[at + 1]! + 1]!++;
    if (postings[at] !== postings[at - 2]) firstPair.set(postings[at]!, at);
  }
  for (let seriesId = 1; seriesId < start.length; seriesId++) start[seriesId]! += start[seriesId - 1]!;
  const labels = new Uint32Array(postings.length / 2);
  const next = start.slice();
  for (const labelId of labelIds) {
    for (let at = firstPair.get(labelId) ?? postings.length; postings[at] === labelId; at += 2) {
      labels[next[postings[at + 1]!]!++] = labelId;
    }
  }
  return (seriesId) => labels.subarray(start[seriesId], start[seriesId + 1]);
}
