// What chosen profiles of a pack say of mappings, as src/pprof/merged-mappings.ts has it: of each mapping the first profile that uses it in
// a sample other than zero ones.

import { MAPPING_STRIDE } from "../pprof/mapping-table.ts";
import type { MappingStatement, MappingsState } from "../pprof/merged-mappings.ts";
import { type Block, decodeBlock } from "./block.ts";
import { byteString } from "./byte-string.ts";
import type { Chosen, DecodedPack } from "./decoded-pack.ts";
import { damagedPack } from "./pack-damage.ts";
import { PROCESS_STRIDE, tupleOf } from "./pack-heads.ts";
import { BLOCK_PROFILES } from "./pack-profiles.ts";

/** Where the words of a mapping stand in `tables.processes`, and the position of the profile that says them. */
interface Found {
  order: number;
  at: number;
}

/** `columns`: those that count, where not all do: samples that are 0 in these use nothing. */
export function mappingStatements(decoded: DecodedPack, chosen: Chosen, columns?: readonly number[]): MappingsState {
  const { main, used } = firstUses(decoded, chosen);
  const found = columns ? firstUsesOf(decoded, chosen, columns) : used;
  const statement = ({ order, at }: Found): MappingStatement => {
    const attributes = [...decoded.tables.processes.subarray(at, at + MAPPING_STRIDE)];
    const [file, buildId] = [byteString(decoded.tables, attributes[6]!), byteString(decoded.tables, attributes[7]!)];
    return { order, attributes, file, buildId };
  };
  return { main: main && statement(main), others: [...found.values()].map(statement) };
}

/** The main mapping, and by mapping of the pack who uses it first. */
function firstUses({ profiles, tables }: DecodedPack, { rows, orders }: Chosen) {
  const firsts = new Map<number, { order: number; row: number }>();
  const useCount = tables.useEnds.length;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const key = profiles.processes[row]! * useCount + profiles.uses[row]!;
    const known = firsts.get(key);
    if (known === undefined) firsts.set(key, { order: orders[at]!, row });
    else if (orders[at]! < known.order) known.order = orders[at]!;
  }
  let main: Found | undefined;
  const used = new Map<number, Found>();
  for (const { order, row } of firsts.values()) {
    const process = processOf(tables, profiles.processes[row]!);
    if (process.end > process.start && (main === undefined || order < main.order)) main = { order, at: process.start };
    for (const use of tupleOf("uses", tables.uses, tables.useEnds, profiles.uses[row]!)) {
      const at = mappingAt(process, use);
      const mapping = tables.processes[at + MAPPING_STRIDE]!;
      if (order < (used.get(mapping)?.order ?? Number.POSITIVE_INFINITY)) used.set(mapping, { order, at });
    }
  }
  return { main, used };
}

/** The same where only some columns count: profiles are asked one after the other until each mapping is found. */
function firstUsesOf(decoded: DecodedPack, { rows, orders }: Chosen, columns: readonly number[]): Map<number, Found> {
  const { profiles, tables } = decoded;
  const found = new Map<number, Found>();
  const places = Array.from({ length: rows.length }, (_, at) => at).sort((a, b) => orders[a]! - orders[b]!);
  let block: Block | undefined;
  for (const place of places) {
    const row = rows[place]!;
    const process = processOf(tables, profiles.processes[row]!);
    const uses = tupleOf("uses", tables.uses, tables.useEnds, profiles.uses[row]!);
    const open = new Map<number, number>();
    for (const use of uses) {
      const at = mappingAt(process, use);
      const mapping = tables.processes[at + MAPPING_STRIDE]!;
      if (!found.has(mapping)) open.set(mapping, at);
    }
    if (open.size === 0) continue;
    const part = Math.floor(row / BLOCK_PROFILES);
    if (block?.first !== part * BLOCK_PROFILES) block = decodeBlock(decoded, part);
    for (const mapping of mappingsOf(decoded, block, row - block.first, columns)) {
      const at = open.get(mapping);
      if (at !== undefined) found.set(mapping, { order: orders[place]!, at });
    }
  }
  return found;
}

/** The mappings on the stacks of a profile's rows that are not 0 in all of `columns`. */
function mappingsOf({ tables }: DecodedPack, block: Block, profile: number, columns: readonly number[]): Set<number> {
  const { nodes, rowNodes, locations, locationEnds } = tables;
  const mappings = new Set<number>();
  for (let at = block.ends[profile]!; at < block.ends[profile + 1]!; at++) {
    const isZero = columns.every((column) => {
      const values = block.values[column]!;
      return (values[at * 2]! | values[at * 2 + 1]!) === 0;
    });
    if (isZero) continue;
    for (let node = rowNodes[block.rows[at]!]!; node > 0; node = nodes[node * 2]!) {
      const mapping = locations[locationEnds[nodes[node * 2 + 1]!]!]!;
      if (mapping >= 0) mappings.add(mapping);
    }
  }
  return mappings;
}

function processOf({ processEnds }: DecodedPack["tables"], process: number): { start: number; end: number } {
  if (process + 1 >= processEnds.length) damagedPack("profiles", "it names a process that is not there");
  return { start: processEnds[process]!, end: processEnds[process + 1]! };
}

function mappingAt({ start, end }: { start: number; end: number }, row: number): number {
  const at = start + row * PROCESS_STRIDE;
  if (at >= end) damagedPack("heads", "it names a mapping that is not there");
  return at;
}
