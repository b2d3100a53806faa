// A merge cut to its largest nodes: against a plain definition over decoded profiles.

import { describe, expect, test } from "vitest";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { Merger } from "../../src/pprof/merger.ts";
import type { Profile } from "../../src/pprof/profile.ts";
import { OTHER_FRAME } from "../../src/pprof/trim.ts";
import { buildProfile, type ProfileSpec } from "../support/profile-builder.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** `ids` are those of the locations, which are numbered in canonical order. */
type Row = { stack: string[]; ids: number[]; labels: string; values: bigint[] };

/** Stacks root first. */
function rowsOf({ samples, locations, functions }: Profile): Row[] {
  const name = (id: bigint) => {
    const [line] = locations.find((location) => location.id === id)!.lines;
    return functions.find((fn) => fn.id === line!.functionId)!.name;
  };
  return samples.map(({ locationIds, labels, values }) => ({
    stack: locationIds.map(name).reverse(),
    ids: locationIds.map(Number).reverse(),
    labels: JSON.stringify(labels.map(({ key, str }) => [key, str])),
    values,
  }));
}

const keyOf = (stack: readonly string[]) => stack.join("/");
const beginnings = (stack: readonly string[]) => stack.map((_, at) => stack.slice(0, at + 1));

function inPreorder(a: readonly number[], b: readonly number[]): number {
  const differs = a.findIndex((id, at) => id !== b[at]);
  return differs < 0 || differs >= b.length ? a.length - b.length : a[differs]! - b[differs]!;
}

function trimPlainly(rows: readonly Row[], column: number, maxNodes: number): Row[] {
  const sizes = new Map<string, bigint>();
  for (const { stack, values } of rows) {
    const value = values[column]!;
    for (const part of beginnings(stack)) {
      sizes.set(keyOf(part), (sizes.get(keyOf(part)) ?? 0n) + (value < 0n ? -value : value));
    }
  }
  if (sizes.size <= maxNodes) return [...rows];
  const idsOf = new Map(
    rows.flatMap(({ stack, ids }) => beginnings(stack).map((part) => [keyOf(part), ids.slice(0, part.length)])),
  );
  const stays = new Set(
    [...sizes]
      .sort(([a, sizeA], [b, sizeB]) =>
        sizeA > sizeB ? -1 : sizeA < sizeB ? 1 : inPreorder(idsOf.get(a)!, idsOf.get(b)!),
      )
      .slice(0, maxNodes)
      .map(([key]) => key),
  );
  const cut = new Map<string, Row>();
  for (const row of rows) {
    const kept = beginnings(row.stack).filter((part) => stays.has(keyOf(part))).length;
    const stack = kept === row.stack.length ? row.stack : [...row.stack.slice(0, kept), OTHER_FRAME];
    const key = `${keyOf(stack)} ${row.labels}`;
    const sum = cut.get(key);
    cut.set(key, { ...row, stack, values: row.values.map((value, at) => value + (sum?.values[at] ?? 0n)) });
  }
  return [...cut.values()].filter(({ values }) => values.some((value) => value !== 0n));
}

const sorted = (rows: readonly Row[]) =>
  rows.map((row) => JSON.stringify([row.stack, row.labels, row.values.map(String)])).sort();

function mergerOf(raws: readonly Uint8Array[]): Merger {
  const merger = new Merger();
  for (const [order, raw] of raws.entries()) merger.add(raw, order);
  return merger;
}

function randomSpec(random: Random): ProfileSpec {
  const samples = Array.from({ length: 1 + random.between(0, 39) }, () => ({
    stack: Array.from({ length: 1 + random.between(0, 5) }, () => `f${random.between(0, 4)}`),
    values: [1, random.between(0, 49) - 5],
    ...(random.between(0, 2) === 0 && { labels: [["user", `u${random.between(0, 1)}`] as [string, string]] }),
  }));
  return { samples };
}

describe("trim()", () => {
  test(`equals its plain definition over 300 random merges, and keeps every total (SEED=${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < 300; round++) {
      const raws = Array.from({ length: 1 + random.between(0, 3) }, () => buildProfile(randomSpec(random)));
      const whole = mergerOf(raws).finish();
      const rows = rowsOf(decodeProfile(whole.bytes));
      const maxNodes = 1 + random.between(0, 59);
      const cut = mergerOf(raws).finish(maxNodes);
      expect(sorted(rowsOf(decodeProfile(cut.bytes)))).toEqual(sorted(trimPlainly(rows, 1, maxNodes)));
      expect(cut.totals).toEqual(whole.totals);
      if (cut.trimmed) expect(cut.trimmed.kept).toBeLessThanOrEqual(maxNodes);
      else expect(Buffer.compare(cut.bytes, whole.bytes)).toBe(0);
    }
  });

  test("gives the same bytes whatever the order and the number of Mergers, and leaves the whole merge as it was", () => {
    const random = new Random(7);
    const raws = Array.from({ length: 6 }, () => buildProfile(randomSpec(random)));
    const one = mergerOf(raws);
    const cut = one.finish(10).bytes;
    const other = new Merger();
    for (const order of [5, 3, 1]) other.add(raws[order]!, order);
    const joined = new Merger();
    for (const order of [4, 0, 2]) joined.add(raws[order]!, order);
    joined.absorb(other.partial());
    expect(Buffer.compare(joined.finish(10).bytes, cut)).toBe(0);
    expect(Buffer.compare(one.finish().bytes, mergerOf(raws).finish().bytes)).toBe(0);
  });
});
