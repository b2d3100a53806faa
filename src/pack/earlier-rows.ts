// Profiles of one process resemble each other: for each row of a block where the profile before has it.

import type { Block } from "./block.ts";
import type { PackProfiles } from "./pack-profiles.ts";

/** For each profile of a block the last one before it of the same series and process that has samples, as its place in the block, or -1. */
export function earlierProfiles(
  { first, profiles: count }: Pick<Block, "first" | "profiles">,
  { series, processes, rowCounts }: PackProfiles,
): Int32Array {
  const earlier = new Int32Array(count).fill(-1);
  for (let profile = first; profile < first + count; profile++) {
    if (rowCounts[profile] === 0) continue;
    for (let other = profile - 1; other >= first && series[other] === series[profile]; other--) {
      if (processes[other] !== processes[profile] || rowCounts[other] === 0) continue;
      earlier[profile - first] = other - first;
      break;
    }
  }
  return earlier;
}

/**
 * For each of the block's rows its index in the profile before, or -1. Of a row that a profile has more than once the n-th is that profile's
 * n-th.
 */
export function earlierRows(
  block: Pick<Block, "first" | "profiles" | "ends" | "rows">,
  profiles: PackProfiles,
): Int32Array {
  const { ends, rows } = block;
  const earlier = new Int32Array(rows.length).fill(-1);
  earlierProfiles(block, profiles).forEach((reference, profile) => {
    if (reference < 0) return;
    let other = ends[reference]!;
    const otherEnd = ends[reference + 1]!;
    for (let at = ends[profile]!; at < ends[profile + 1]!; at++) {
      const row = rows[at]!;
      while (other < otherEnd && rows[other]! < row) other++;
      if (other === otherEnd) break;
      if (rows[other] === row) earlier[at] = other++;
    }
  });
  return earlier;
}
