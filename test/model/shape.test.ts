// Shapes and their signatures.

import { expect, test } from "vitest";
import { describeShape, mergeKey, parseShapeSignature, type Shape, shapeSignature } from "../../src/model/shape.ts";

const shape = (period: string, ...columns: string[]): Shape => ({
  columns: columns.map((column) => ({ type: column.split("/")[0]!, unit: column.split("/")[1]! })),
  periodType: { type: period.split("/")[0]!, unit: period.split("/")[1]! },
});
const cpu = shape("cpu/nanoseconds", "samples/count", "cpu/nanoseconds");

const gauge: Shape = { ...cpu, columns: [{ type: "cpu", unit: "nanoseconds", aggregation: "gauge" }] };

test("a signature reads back as its shape", () => {
  for (const each of [cpu, gauge, shape("/"), shape("/", "a/b"), shape('",[/]', '"/\\', "\u{1f600}/\n")]) {
    expect(parseShapeSignature(shapeSignature(each))).toEqual(each);
  }
});

test("shapes that differ have different signatures, whatever characters their names hold", () => {
  const shapes = [
    cpu,
    gauge,
    shape("cpu/nanoseconds", "cpu/nanoseconds"),
    shape("cpu/nanoseconds", "cpu/nanoseconds", "samples/count"),
    shape("/", "samples/count", "cpu/nanoseconds"),
    shape("/", "a/b"),
    shape("a/b"),
    shape("/", 'a","b/c'),
    shape("/", 'a/b","c'),
    shape("/", "a/b", "a/b"),
  ];
  expect(new Set(shapes.map(shapeSignature)).size).toBe(shapes.length);
});

test("mergeKey() is equal for shapes that differ only in the order of their columns", () => {
  expect(mergeKey(shape("cpu/nanoseconds", "cpu/nanoseconds", "samples/count"))).toBe(mergeKey(cpu));
  expect(mergeKey(shape("wall/nanoseconds", "samples/count", "cpu/nanoseconds"))).not.toBe(mergeKey(cpu));
  expect(mergeKey(shape("cpu/nanoseconds", "samples/count"))).not.toBe(mergeKey(cpu));
  expect(mergeKey(shape("/", "a/b", "a/b"))).not.toBe(mergeKey(shape("/", "a/b")));
});

test("describeShape() names columns and period as people write them", () => {
  expect(describeShape(cpu)).toBe("samples/count cpu/nanoseconds per cpu/nanoseconds");
  expect(describeShape(shape("/", "a/b"))).toBe("a/b");
});
