// Which profiles of a pack say on which lines their functions begin. Symbols are looked at, values are not.

import { FUNCTION_KEY, LOCATION_HEAD } from "../pprof/interner.ts";
import { LINE_STRIDE } from "../pprof/location-table.ts";
import { areMost, hasStartLines } from "../pprof/start-lines.ts";
import { type Block, openBlock } from "./block.ts";
import type { DecodedPack } from "./decoded-pack.ts";
import { BLOCK_PROFILES, KIND } from "./pack-profiles.ts";
import type { PackTables } from "./pack-tables.ts";
import { ProfileRebuilder } from "./profile-rebuilder.ts";

/** For each of `rows` whether most of the functions in its stacks say it. Throws `unavailable`, naming the section that is damaged. */
export function rowsWithStartLines(decoded: DecodedPack, rows: ArrayLike<number>): boolean[] {
  const rebuilder = new ProfileRebuilder(decoded);
  const { kinds } = decoded.profiles;
  let block: Block | undefined;
  return Array.from(rows, (row) => {
    if (kinds[row] === KIND.bytes) return hasStartLines(rebuilder.rebuild(row));
    const part = Math.floor(row / BLOCK_PROFILES);
    if (block?.first !== part * BLOCK_PROFILES) block = openBlock(decoded, part);
    const { first, ends, rows: packRows } = block;
    const functions = functionsOf(decoded.tables, packRows.subarray(ends[row - first]!, ends[row - first + 1]!));
    return areMost([...functions].filter((fn) => startsSomewhere(decoded.tables, fn)).length, functions.size);
  });
}

/** Of all stacks of some of a pack's rows; each stack is followed as far as another has not been. */
function functionsOf({ rowNodes, nodes, locations, locationEnds }: PackTables, packRows: Int32Array): Set<number> {
  const seen = new Set<number>();
  const functions = new Set<number>();
  for (const packRow of packRows) {
    for (let node = rowNodes[packRow]!; node > 0 && !seen.has(node); node = nodes[node * 2]!) {
      seen.add(node);
      const location = nodes[node * 2 + 1]!;
      const end = locationEnds[location + 1]!;
      for (let line = locationEnds[location]! + LOCATION_HEAD; line < end; line += LINE_STRIDE)
        functions.add(locations[line]!);
    }
  }
  return functions;
}

function startsSomewhere({ functions }: PackTables, fn: number): boolean {
  return functions[fn * FUNCTION_KEY + 3] !== 0 || functions[fn * FUNCTION_KEY + 4] !== 0;
}
