import { expect, test } from "vitest";
import { PackSources } from "../../src/repository/pack-sources.ts";
import type { BlobReader } from "../../src/storage/blob-store.ts";
import { packOf } from "../pack/packing.ts";
import { buildProfile } from "../support/profile-builder.ts";

function profile(nth: number): Uint8Array {
  return buildProfile({ timeNs: BigInt(nth + 1), samples: [{ stack: [`f${nth}`], values: [1, 10] }] });
}

/** Tells how often each object was opened, and how many are open. */
function readerOver(objects: Record<string, Uint8Array>) {
  const opened: string[] = [];
  const isOpen = new Set<object>();
  const reader: BlobReader = {
    readMany: () => [],
    openObject({ name }) {
      opened.push(name);
      const bytes = objects[name]!;
      const object = {
        sizeBytes: bytes.length,
        read: (offset: number, length: number) => bytes.slice(offset, offset + length),
        [Symbol.dispose]: () => void isOpen.delete(object),
      };
      isOpen.add(object);
      return object;
    },
  };
  return { reader, opened, isOpen };
}

test("a pack is decoded when its first profile is read, and let go of when its last wanted one has passed", () => {
  const { reader, opened, isOpen } = readerOver({ one: packOf([0, 1, 2].map(profile)) });
  let closed = 0;
  using sources = new PackSources(reader, [{ name: "one" }], Float64Array.of(1, 3), () => closed++);
  expect([opened, isOpen.size]).toEqual([["one"], 0]);
  expect([1, 2, 3, 9].map((seq) => sources.has(seq))).toEqual([true, false, true, false]);
  const rows: number[] = [];
  sources.read(1, (_, row) => rows.push(row));
  sources.pass(1);
  expect([isOpen.size, closed]).toEqual([1, 0]);
  sources.read(3, (_, row) => rows.push(row));
  sources.pass(3);
  expect([isOpen.size, closed, rows]).toEqual([0, 1, [0, 2]]);
});

test("a pack that cannot be opened has no profiles, and it is told which one", () => {
  const bytes = packOf([profile(0)]);
  bytes[40]! ^= 0xff;
  const { reader, isOpen } = readerOver({ "pack/7": bytes });
  using sources = new PackSources(reader, [{ name: "pack/7" }], Float64Array.of(1), () => {});
  expect(sources.has(1)).toBe(false);
  expect(sources.damage).toEqual([expect.stringMatching(/^pack\/7: .*damaged/)]);
  expect(isOpen.size).toBe(0);
});
