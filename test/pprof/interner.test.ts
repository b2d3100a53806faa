// The hash tables under a merge against Maps: sizes at which they grow, keys that share beginnings, ends and hashes' inputs.

import { expect, test } from "vitest";
import { IdMap } from "../../src/pprof/id-map.ts";
import { RowTable } from "../../src/pprof/row-table.ts";
import { StackBatch } from "../../src/pprof/stack-batch.ts";
import { StackTree } from "../../src/pprof/stack-tree.ts";
import { StringInterner } from "../../src/pprof/string-interner.ts";
import { TupleInterner } from "../../src/pprof/tuple-interner.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.SEED ?? 20261121);
console.log(`interner seed ${SEED}`);

/** Ids must be dense, in order of first appearance, and the same for the same key. */
function expectIds(keys: string[], idOf: (key: string) => number, first = 0): void {
  const known = new Map<string, number>();
  for (const key of keys) {
    const expected = known.get(key) ?? known.size + first;
    known.set(key, expected);
    if (idOf(key) !== expected) throw new Error(`${JSON.stringify(key)} is not ${expected}`);
  }
  expect(known.size).toBeGreaterThan(keys.length / 10);
}

test("StringInterner gives equal bytes one id, at every length and beyond its first capacity", () => {
  const random = new Random(SEED);
  const strings = new StringInterner();
  const keys: string[] = [];
  for (let at = 0; at < 30_000; at++) {
    const length = random.between(0, random.pick([3, 9, 40, 300]));
    const key = String.fromCharCode(...Array.from({ length }, () => random.pick([0, 97, 98, 255])));
    if (key !== "") keys.push(key);
  }
  expectIds(keys, (key) => strings.internByteString(key), 1);
  expect(strings.internByteString("")).toBe(0);
  for (const key of keys.slice(0, 500)) {
    const id = strings.internByteString(key);
    expect(strings.byteString(id)).toBe(key);
    const bytes = Buffer.from(`x${key}y`, "latin1");
    const around = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    expect(strings.equals(id, around, 1, 1 + key.length)).toBe(true);
    expect(strings.equals(id, around, 0, 1 + key.length)).toBe(false);
  }
});

test("TupleInterner gives equal sequences one id, at every length and beyond its first capacity", () => {
  const random = new Random(SEED + 1);
  const tuples = new TupleInterner();
  const keys = Array.from({ length: 30_000 }, () => {
    const length = random.between(0, random.pick([2, 5, 9, 100]));
    return Array.from({ length }, () => random.pick([0, 1, -1, 2 ** 31 - 1, -(2 ** 31)])).join();
  });
  expectIds(keys, (key) => {
    const words = key === "" ? [] : key.split(",").map(Number);
    tuples.reserve(words.length).set(words);
    return tuples.intern(words.length);
  });
});

test("RowTable and StackTree give equal stacks and label sets one row, and stacks with one beginning share it", () => {
  const random = new Random(SEED + 2);
  const tree = new StackTree();
  const table = new RowTable(tree);
  const prefixes = new Set<string>();
  const keys = Array.from({ length: 30_000 }, () => {
    const length = random.between(0, random.pick([2, 8, 200]));
    const stack = Array.from({ length }, () => random.between(0, random.pick([1, 2, 5])));
    for (let end = 1; end <= length; end++) prefixes.add(stack.slice(0, end).join());
    return `${random.between(0, 2)}|${stack.join()}`;
  });
  expectIds(keys, (key) => {
    const stack = stackOf(key);
    return table.rowOfNode(tree.intern(stack, 0, stack.length), labelSetOf(key));
  });
  expect(tree.count).toBe(prefixes.size + 1);

  const found = rowsOf(keys, table);
  expectIds(keys, () => found.shift()!);
});

test("RowTable makes new rows in the order in which stacks were noted, known ones between them", () => {
  const random = new Random(SEED + 4);
  const keys = Array.from({ length: 5_000 }, () => {
    const path = Array.from({ length: random.between(0, 6) }, () => random.between(0, 5));
    return `${random.between(0, 1)}|${path.join()}`;
  });
  const found = rowsOf(keys, new RowTable(new StackTree()));
  expectIds(keys, () => found.shift()!);
});

function rowsOf(keys: string[], table: RowTable): number[] {
  const batch = new StackBatch();
  const locationOf = Int32Array.from({ length: 6 }, (_, at) => at);
  const found = new Int32Array(keys.length);
  for (const [at, key] of keys.entries()) {
    if (batch.isFull) table.resolve(batch, found, at - batch.count);
    const stack = stackOf(key);
    batch.note(stack, stack.length, locationOf, labelSetOf(key));
  }
  table.resolve(batch, found, keys.length - batch.count);
  return [...found];
}

/** Keys are `label set|locations from the root`. */
function stackOf(key: string): Int32Array {
  const path = key.slice(key.indexOf("|") + 1);
  return Int32Array.from(path === "" ? [] : path.split(",").map(Number)).reverse();
}

function labelSetOf(key: string): number {
  return Number(key.slice(0, key.indexOf("|")));
}

test("IdMap finds dense, sparse and hashed ids, none that is not there, and says which is taken", () => {
  const random = new Random(SEED + 3);
  const ids = new IdMap();
  for (let round = 0; round < 50; round++) {
    const count = random.between(0, 300);
    ids.reset(count);
    const rows = new Map<string, number>();
    const pick = (): [number, number] =>
      random.pick([
        [random.between(1, count + 5), 0],
        [random.between(1, 2 ** 20), 0],
        [random.between(-(2 ** 31), 2 ** 31 - 1), random.between(-3, 3)],
      ]);
    for (let row = 0; row < count; row++) {
      const [lo, hi] = pick();
      const key = `${lo},${hi}`;
      expect(ids.add(lo, hi, row)).toBe(!rows.has(key));
      if (!rows.has(key)) rows.set(key, row);
    }
    for (let probe = 0; probe < 200; probe++) {
      const [lo, hi] = pick();
      expect(ids.get(lo, hi)).toBe(rows.get(`${lo},${hi}`) ?? -1);
    }
    for (const [key, row] of rows) {
      const [lo, hi] = key.split(",").map(Number) as [number, number];
      expect(ids.get(lo, hi)).toBe(row);
    }
  }
});
