// Rankings out of sums: each sum's rows, weighted and added up, sorted, and cut. Pure; src/repository/merge-worker.ts runs it.

import { hash } from "node:crypto";
import { leastCommonMultiple, roundedQuotient } from "../pack/aggregation.ts";
import type { TopRow } from "../pprof/top.ts";

/** A sum as it enters a ranking: times `weight`, or divided by `divisor`, of which one is 1. */
export interface WeightedTop {
  /** encodeTopRows(). */
  rows: Uint8Array;
  total: bigint;
  sum: bigint;
  weight: bigint;
  divisor: bigint;
}

export interface RankOptions {
  order: "flat" | "cum";
  maxRows: number;
}

export interface Ranking {
  /** encodeTopRows() of the first `maxRows`. */
  rows: Uint8Array;
  /** Rows there are. */
  rowCount: number;
  total: bigint;
  sum: bigint;
  /** SHA-256 of what was ranked, hex. */
  digest: string;
}

type PlainRow = [name: string, functionName: string, file: string, line: string, flat: string, cum: string];

export function encodeTopRows(rows: readonly TopRow[]): Uint8Array {
  const plain = rows.map(
    ({ name, functionName, file, line, flat, cum }): PlainRow => [
      name,
      functionName,
      file,
      `${line}`,
      `${flat}`,
      `${cum}`,
    ],
  );
  return new Uint8Array(Buffer.from(JSON.stringify(plain), "utf8"));
}

export function decodeTopRows(bytes: Uint8Array): TopRow[] {
  const plain = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
  ) as PlainRow[];
  return plain.map(([name, functionName, file, line, flat, cum]) => ({
    name,
    functionName,
    file,
    line: BigInt(line),
    flat: BigInt(flat),
    cum: BigInt(cum),
  }));
}

/** Each value is rounded once, half to even, and wraps as int64 does. Rows that come to two zeros are left out. */
export function rank(parts: readonly WeightedTop[], { order, maxRows }: RankOptions): Ranking {
  const denominator = parts.reduce((product, { divisor }) => leastCommonMultiple(product, divisor), 1n);
  const factors = parts.map(({ weight, divisor }) => (weight * denominator) / divisor);
  const value = (sum: bigint) => BigInt.asIntN(64, roundedQuotient(sum, denominator));
  const all = new Map<string, TopRow>();
  for (const [at, part] of parts.entries()) {
    for (const row of decodeTopRows(part.rows)) {
      const key = JSON.stringify([row.name, row.functionName, row.file, `${row.line}`]);
      const known = all.get(key) ?? { ...row, flat: 0n, cum: 0n };
      all.set(key, { ...known, flat: known.flat + row.flat * factors[at]!, cum: known.cum + row.cum * factors[at]! });
    }
  }
  const rows = [...all.values()]
    .map((row) => ({ ...row, flat: value(row.flat), cum: value(row.cum) }))
    .filter(({ flat, cum }) => flat !== 0n || cum !== 0n)
    .sort(
      (a, b) => compare(absolute(b[order]), absolute(a[order])) || compare(a.name, b.name) || compare(a.line, b.line),
    );
  const bytes = encodeTopRows(rows.slice(0, maxRows));
  const weighted = (of: (part: WeightedTop) => bigint) =>
    value(parts.reduce((sum, part, at) => sum + of(part) * factors[at]!, 0n));
  const total = weighted((part) => part.total);
  const sum = weighted((part) => part.sum);
  const digest = hash("sha256", `${total} ${sum} ${rows.length} ${Buffer.from(bytes).toString("utf8")}`, "hex");
  return { rows: bytes, rowCount: rows.length, total, sum, digest };
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function compare<Value extends bigint | string>(a: Value, b: Value): number {
  return a < b ? -1 : Number(a > b);
}
