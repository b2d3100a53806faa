// Which profiles of a pack say on which lines their functions begin. Symbols are looked at, values are not.

import type { Limits } from "../model/limits.ts";
import { FUNCTION_KEY, LOCATION_HEAD } from "../pprof/interner.ts";
import { LINE_STRIDE } from "../pprof/location-table.ts";
import { hasStartLines } from "../pprof/start-lines.ts";
import { type Block, openBlock } from "./block.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import { BLOCK_PROFILES, KIND } from "./pack-profiles.ts";
import type { PackTables } from "./pack-tables.ts";
import { ProfileRebuilder } from "./profile-rebuilder.ts";

/** For each of `rows` whether any frame of its samples says it. Throws `unavailable`, naming the section that is damaged. */
export function rowsWithStartLines(decoded: DecodedPack, rows: ArrayLike<number>, limits: Limits): boolean[] {
  const isNodeFound = nodesWithStartLines(decoded.tables);
  const rebuilder = new ProfileRebuilder(decoded);
  const { kinds } = decoded.profiles;
  let block: Block | undefined;
  return Array.from(rows, (row) => {
    if (kinds[row] === KIND.bytes) return hasStartLines(rebuilder.rebuild(row), limits);
    const part = Math.floor(row / BLOCK_PROFILES);
    if (block?.first !== part * BLOCK_PROFILES) block = openBlock(decoded, part);
    const { first, ends, rows: packRows } = block;
    const own = packRows.subarray(ends[row - first]!, ends[row - first + 1]!);
    return own.some((packRow) => isNodeFound[decoded.tables.rowNodes[packRow]!] === 1);
  });
}

/** Stacks of which a frame says it; those that call it come before. */
function nodesWithStartLines({ nodes, locations, locationEnds, functions }: PackTables): Uint8Array {
  const isLocationFound = (location: number) => {
    for (let line = locationEnds[location]! + LOCATION_HEAD; line < locationEnds[location + 1]!; line += LINE_STRIDE) {
      const fn = locations[line]! * FUNCTION_KEY;
      if (functions[fn + 3] !== 0 || functions[fn + 4] !== 0) return true;
    }
    return false;
  };
  const found = Array.from({ length: locationEnds.length - 1 }, (_, location) => isLocationFound(location));
  const isFound = new Uint8Array(nodes.length / 2);
  for (let node = 1; node < isFound.length; node++) {
    isFound[node] = isFound[nodes[node * 2]!]! | Number(found[nodes[node * 2 + 1]!]);
  }
  return isFound;
}
