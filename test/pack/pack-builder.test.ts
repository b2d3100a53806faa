// When a pack is full, and what of a profile's catalog entry comes back: src/pack/pack-builder.ts. What merges and downloads answer is
// fold.test.ts's and profile-rebuilder.test.ts's.

import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { PackBuilder, type PackBuilderOptions } from "../../src/pack/pack-builder.ts";
import { decodeIdentities, KIND } from "../../src/pack/pack-profiles.ts";
import { ProfileRebuilder } from "../../src/pack/profile-rebuilder.ts";
import { convertLegacy } from "../../src/pprof/legacy/convert.ts";
import { buildProfile } from "../support/profile-builder.ts";
import { decode, entryOf, shapeOf } from "./packing.ts";

/** Each has stacks of its own. */
function profile(nth: number): Uint8Array {
  const stack = Array.from({ length: 20 }, (_, depth) => `function ${nth} ${depth}`);
  return buildProfile({ timeNs: BigInt(nth + 1), samples: [{ stack, values: [1, 10_000_000] }] });
}

function fillUp(options: PackBuilderOptions): number {
  const builder = new PackBuilder({ service: "api", type: "cpu", shape: shapeOf(profile(0)) }, options);
  let count = 0;
  while (!builder.isFull && count < 1000) builder.add(entryOf(profile(count), count), profile(count++));
  return count;
}

test("a pack is full with its stack nodes, its bytes or its profiles, whichever comes first", () => {
  expect(fillUp({ nodesMax: 101 })).toBe(5);
  expect(fillUp({ profilesMax: 7 })).toBe(7);
  expect(fillUp({ bytesMax: 200_000 })).toBeLessThan(1000);
  expect(fillUp({})).toBe(1000);
});

test("a pack is full when all that its builder holds is a few times its bytes, as where each sample has a number of its own", () => {
  const bytesMax = 1024 * 1024;
  const numbered = (nth: number) =>
    buildProfile({
      timeNs: BigInt(nth + 1),
      samples: Array.from({ length: 1000 }, (_, at) => ({
        stack: ["main"],
        values: [1, 10],
        numbers: [["trace", BigInt(nth * 1000 + at) * 7919n]],
      })),
    });
  const builder = new PackBuilder({ service: "api", type: "cpu", shape: shapeOf(numbered(0)) }, { bytesMax });
  let count = 0;
  while (!builder.isFull && count < 100) builder.add(entryOf(numbered(count), count), numbered(count++));
  expect(count).toBeLessThan(100);
  expect(builder.bytes).toBeLessThan(bytesMax * 8);
});

test("a pack is finished step by step, one for each block and each section at least, and is the same", () => {
  const raws = Array.from({ length: 200 }, (_, nth) => profile(nth));
  const filled = () => {
    const builder = new PackBuilder({ service: "api", type: "cpu", shape: shapeOf(raws[0]!) });
    raws.forEach((raw, nth) => {
      builder.add(entryOf(raw, nth), raw);
    });
    return builder;
  };
  const steps = filled().finishing();
  let count = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) count++;
  const { bytes, sizes } = filled().finish();
  expect(step.value.bytes).toEqual(bytes);
  expect(count).toBeGreaterThan(200 / 64 + sizes.size);
});

test("what the catalog knows of a profile comes back, whatever it is", () => {
  const raws = [0, 1, 2].map(profile);
  const entries = raws.map((raw, nth) => ({
    ...entryOf(raw, nth, [{ name: "path", value: `"ü ${nth}"` }]),
    receivedNs: [-(2n ** 63n), 0n, 2n ** 63n - 1n][nth]!,
    seq: 2n ** 53n + BigInt(nth),
    sizeBytes: nth * 1_000_000,
  }));
  const builder = new PackBuilder({ service: "a/b", type: "cpu", shape: shapeOf(raws[0]!) });
  raws.forEach((raw, nth) => {
    builder.add(entries[nth]!, raw);
  });
  const { pack, profiles } = decode(builder.finish().bytes);
  expect(pack.signature).toEqual({ service: "a/b", type: "cpu", shape: shapeOf(raws[0]!) });
  expect([...profiles.receivedNs]).toEqual(entries.map(({ receivedNs }) => receivedNs));
  expect([...profiles.seqs]).toEqual(entries.map(({ seq }) => seq));
  expect([...profiles.timesNs]).toEqual(entries.map(({ timeNs }) => timeNs));
  expect([...profiles.sizesBytes]).toEqual([0n, 1_000_000n, 2_000_000n]);
  expect([...profiles.ownTimesNs]).toEqual([1n, 2n, 3n]);
  expect(Array.from(profiles.series, (series) => profiles.labels[series])).toEqual(entries.map(({ labels }) => labels));
  const { ids, digests } = decodeIdentities(pack, profiles);
  expect(Buffer.from(ids)).toEqual(Buffer.concat(entries.map(({ id }) => id)));
  expect(Buffer.from(digests)).toEqual(Buffer.concat(entries.map(({ digest }) => digest.subarray(0, 16))));
});

test("ids that do not begin with their profile's time come back, too", () => {
  const entry = { ...entryOf(profile(0), 0), id: Buffer.alloc(16, 0xfe) };
  const builder = new PackBuilder({ service: "api", type: "cpu", shape: shapeOf(profile(0)) });
  builder.add(entry, profile(0));
  const { pack, profiles } = decode(builder.finish().bytes);
  expect(Buffer.from(decodeIdentities(pack, profiles).ids)).toEqual(entry.id);
});

test("more than a block of profiles comes back in any order", () => {
  const raws = Array.from({ length: 150 }, (_, nth) => profile(nth % 40));
  const builder = new PackBuilder({ service: "api", type: "cpu", shape: shapeOf(raws[0]!) });
  raws.forEach((raw, nth) => {
    builder.add(entryOf(raw, nth), raw);
  });
  const { pack, profiles, tables } = decode(builder.finish().bytes);
  const rebuilder = new ProfileRebuilder({ pack, profiles, tables });
  for (const row of [149, 0, 64, 65, 64, 63, 148, 1]) {
    expect(Buffer.compare(rebuilder.rebuild(row), raws[row]!), `row ${row}`).toBe(0);
  }
  expect(new Set(profiles.kinds)).toEqual(new Set([KIND.rows]));
});

test("a pack keeps no memory of who gives it a profile: what must be kept as bytes is copied, of a Buffer too", () => {
  const known = profile(0);
  // A field that nobody knows is written by nobody again.
  const raws = [
    Buffer.concat([known, Buffer.from([0xfa, 0x3f, 1, 7])]),
    Buffer.from("heap profile: 0: 0 [0: 0] @ heap/1048576\n"),
  ];
  for (const raw of raws) {
    const given = Buffer.from(raw);
    const shape = raw === raws[0] ? shapeOf(known) : shapeOf(convertLegacy(raw, DEFAULT_LIMITS)!);
    const builder = new PackBuilder({ service: "api", type: "cpu", shape });
    builder.add(entryOf(raw, 0), given);
    given.fill(0);
    const decoded = decode(builder.finish().bytes);
    expect(decoded.profiles.kinds[0]).not.toBe(KIND.rows);
    expect(Buffer.compare(new ProfileRebuilder(decoded).rebuild(0), raw)).toBe(0);
  }
});
