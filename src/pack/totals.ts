// The sums of a pack's rows over all its profiles ↔ a section, which packs have where it saves time.

import type { TotalsState } from "../pprof/column-totals.ts";
import { multiply64 } from "../pprof/multiply64.ts";
import { type Pack, readSection, type Section, sectionName } from "./format.ts";
import { NumberReader, NumberWriter } from "./number-columns.ts";
import type { PackProfiles } from "./pack-profiles.ts";

/** Every row of a pack. */
export interface PackTotals {
  /** Of each column low and high halves, row after row. Sums wrap as int64 does. */
  sums: Int32Array[];
  totals: TotalsState;
}

/** How a column is written. `sums`: as they are, zigzagged. `period`: those of the first column, times the period of the first profile. */
const MODE = { sums: 0, period: 1 } as const;

export function encodeTotals({ sums, totals }: PackTotals, profiles: PackProfiles): Section {
  const out = new NumberWriter();
  sums.forEach((column, at) => {
    const isTimes = at > 0 && timesPeriod(sums[0]!, profiles).every((half, place) => half === column[place]);
    out.number(isTimes ? MODE.period : MODE.sums);
    if (!isTimes) for (let half = 0; half < column.length; half += 2) out.wideSigned(column[half]!, column[half + 1]!);
  });
  for (const [sum, overflows] of totals) {
    out.bigint(BigInt(sum));
    out.signed(overflows);
  }
  return { kind: "totals", part: 0, bytes: out.finish() };
}

/** Throws `unavailable`, naming the section that is damaged. */
export function decodeTotals(pack: Pack, profiles: PackProfiles, rowCount: number): PackTotals {
  const from = new NumberReader(sectionName("totals"), readSection(pack, "totals"));
  const sums: Int32Array[] = [];
  for (let column = 0; column < pack.columns; column++) {
    const isTimes = from.number(column > 0 ? MODE.period : MODE.sums) === MODE.period;
    sums.push(isTimes ? timesPeriod(sums[0]!, profiles) : from.wideSigned(rowCount));
  }
  const totals = sums.map((): TotalsState[number] => [String(from.bigints(1)[0]), from.signed(1)[0]!]);
  from.end();
  return { sums, totals };
}

function timesPeriod(factors: Int32Array, { periods }: PackProfiles): Int32Array {
  const out = new Int32Array(factors.length);
  multiply64(factors, 0, factors.length, periods[0] ?? 0n, out);
  return out;
}
