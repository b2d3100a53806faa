// Packs of given profiles, as the packer makes them but for their order, which is that of the list.

import { createHash } from "node:crypto";
import type { Labels } from "../../src/model/labels.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { type Shape, shapeSignature } from "../../src/model/shape.ts";
import { type DecodedPack, decodePack } from "../../src/pack/decoded-pack.ts";
import type { ReadRange } from "../../src/pack/format.ts";
import { PackBuilder, type PackBuilderOptions, type PackEntry } from "../../src/pack/pack-builder.ts";
import { summarize } from "../../src/pprof/summary.ts";

export function shapeOf(raw: Uint8Array): Shape {
  const { sampleTypes, periodType } = summarize(raw, DEFAULT_LIMITS);
  return { columns: sampleTypes.map(({ type, unit }) => ({ type, unit })), periodType };
}

/** A profile with what a catalog knows of it: the n-th is received in second n, and belongs to one of three instances. */
export function entryOf(raw: Uint8Array, nth: number, labels?: Labels): PackEntry {
  const digest = createHash("sha256").update(raw).digest();
  const timeNs = 1_772_445_600_000_000_000n + BigInt(nth) * 1_000_000_007n;
  const id = Buffer.alloc(16);
  id.writeUIntBE(Number(timeNs / 1_000_000n), 0, 6);
  digest.copy(id, 6, 0, 10);
  return {
    id,
    digest,
    timeNs,
    receivedNs: timeNs + 10_000_000_000n,
    seq: BigInt(nth + 1),
    labels: labels ?? [{ name: "instance", value: `i${nth % 3}` }],
    sizeBytes: raw.length,
  };
}

/** The pack of profiles that all have one shape, default that of the first. */
export function packOf(
  raws: readonly Uint8Array[],
  options: PackBuilderOptions = {},
  shape: Shape = shapeOf(raws[0]!),
): Uint8Array {
  const builder = new PackBuilder({ service: "api", type: "cpu", shape }, options);
  raws.forEach((raw, nth) => {
    builder.add(entryOf(raw, nth), raw);
  });
  return builder.finish().bytes;
}

export function readerOf(bytes: Uint8Array): ReadRange {
  return (offset, length) => bytes.subarray(offset, offset + length);
}

export function decode(bytes: Uint8Array): DecodedPack {
  return decodePack(readerOf(bytes));
}

/** The indexes of profiles by their shape. */
export function byShape(raws: readonly Uint8Array[]): number[][] {
  const groups = new Map<string, number[]>();
  raws.forEach((raw, nth) => {
    const key = shapeSignature(shapeOf(raw));
    groups.set(key, [...(groups.get(key) ?? []), nth]);
  });
  return [...groups.values()];
}
