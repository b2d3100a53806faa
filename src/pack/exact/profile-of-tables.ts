// A loaded profile as a WrittenProfile in its own numbering: string 3 is its fourth string, location 0 its first. For
// learning orders, and for tests; packs have numberings of their own.

import { grown } from "../../pprof/grow.ts";
import { LOCATION_HEAD } from "../../pprof/interner.ts";
import { LINE_STRIDE, LOCATION_STRIDE } from "../../pprof/location-table.ts";
import { MAPPING_STRIDE } from "../../pprof/mapping-table.ts";
import type { ProfileHeader } from "../../pprof/profile-header.ts";
import type { ProfileTables } from "../../pprof/profile-tables.ts";
import { LABEL_STRIDE, type SampleReader } from "../../pprof/sample-reader.ts";
import type { WrittenHeader, WrittenProfile } from "./written-profile.ts";

/** `samples` reads the samples of `source` and keeps empty labels. The arrays of functions and mappings are those of `source`: valid until its next load. */
export function profileOfTables(source: ProfileTables, samples: SampleReader): WrittenProfile {
  const { mappings, functions } = source;
  const { rows, nodes, labelSets, labelSetEnds, rowNodes, values } = readRows(source, samples);
  return {
    tables: {
      ...copyStrings(source),
      functions: functions.rows,
      ...copyLocations(source),
      nodes,
      labelSets,
      labelSetEnds,
      rowNodes,
      rowLabelSets: rows,
    },
    header: headerOf(source.header),
    mappings: mappings.rows,
    mappingCount: mappings.count,
    mappingRows: upTo(mappings.count),
    rows,
    rowCount: rows.length,
    values,
  };
}

export function headerOf(header: ProfileHeader): WrittenHeader {
  return {
    ...header,
    sampleTypes: Int32Array.from(header.sampleTypes.flat()),
    periodType: Int32Array.from(header.periodType),
    comments: Int32Array.from(header.comments),
  };
}

function copyStrings({ raw, strings }: ProfileTables) {
  const { bounds, count } = strings;
  const stringEnds = new Int32Array(count);
  const stringBytes = new Uint8Array(raw.length);
  let end = 0;
  for (let row = 0; row < count; row++) {
    stringBytes.set(raw.subarray(bounds[row * 2]!, bounds[row * 2 + 1]!), end);
    end += bounds[row * 2 + 1]! - bounds[row * 2]!;
    stringEnds[row] = end;
  }
  return { stringBytes, stringEnds };
}

function copyLocations({ locations, mappings }: ProfileTables) {
  const { rows, lines, count } = locations;
  const lineEnd = count === 0 ? 0 : rows[(count - 1) * LOCATION_STRIDE + 4]! * LINE_STRIDE;
  const data = new Int32Array(count * LOCATION_HEAD + lineEnd);
  const ends = new Int32Array(count + 1);
  let to = 0;
  let line = 0;
  for (let row = 0; row < count; row++) {
    const from = row * LOCATION_STRIDE;
    const mapping = rows[from]!;
    const start = mapping * MAPPING_STRIDE;
    const difference = (rows[from + 1]! >>> 0) - (mapping < 0 ? 0 : mappings.rows[start]! >>> 0);
    data[to] = mapping;
    data[to + 1] = difference;
    data[to + 2] = rows[from + 2]! - (mapping < 0 ? 0 : mappings.rows[start + 1]!) - (difference < 0 ? 1 : 0);
    data[to + 3] = rows[from + 3]!;
    const end = rows[from + 4]! * LINE_STRIDE;
    data.set(lines.subarray(line, end), to + LOCATION_HEAD);
    to += LOCATION_HEAD + end - line;
    line = end;
    ends[row + 1] = to;
  }
  return { locations: data, locationEnds: ends };
}

/** Each row has nodes and a label set of its own: nothing is looked up. */
function readRows(source: ProfileTables, samples: SampleReader) {
  const { count } = source.samples;
  const columns = source.header.columnCount;
  const values = new Int32Array(count * columns * 2);
  const rowNodes = new Int32Array(count);
  const labelSetEnds = new Int32Array(count + 1);
  let nodes = Int32Array.of(-1, -1);
  let labelSets = new Int32Array(0) as Int32Array;
  let nodeCount = 1;
  samples.start();
  for (let row = 0; row < count; row++) {
    samples.read(row);
    nodes = grown(nodes, (nodeCount + samples.stackLength) * 2) as Int32Array<ArrayBuffer>;
    let node = 0;
    for (let depth = samples.stackLength - 1; depth >= 0; depth--) {
      nodes[nodeCount * 2] = node;
      nodes[nodeCount * 2 + 1] = samples.stack[depth]!;
      node = nodeCount++;
    }
    rowNodes[row] = node;
    values.set(samples.values.subarray(0, columns * 2), row * columns * 2);
    const labelsAt = labelSetEnds[row]!;
    const labelsEnd = labelsAt + samples.labelCount * LABEL_STRIDE;
    labelSets = grown(labelSets, labelsEnd);
    labelSets.set(samples.labels.subarray(0, labelsEnd - labelsAt), labelsAt);
    labelSetEnds[row + 1] = labelsEnd;
  }
  return { rows: upTo(count), nodes, labelSets, labelSetEnds, rowNodes, values };
}

function upTo(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, at) => at);
}
