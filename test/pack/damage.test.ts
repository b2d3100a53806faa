// A damaged pack says so, and names the section: never a wrong number, never another profile.

import { expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { openPack, PACK_VERSION } from "../../src/pack/format.ts";
import { PackBuilder } from "../../src/pack/pack-builder.ts";
import { ProfileRebuilder } from "../../src/pack/profile-rebuilder.ts";
import { sumProfiles } from "../../src/pack/sum.ts";
import { buildProfile } from "../support/profile-builder.ts";
import { decode, entryOf, packOf, readerOf, shapeOf } from "./packing.ts";
import { answersOf } from "./reading.ts";
import { placesOf, resealed } from "./sections.ts";

const PROFILES = [1, 2, 3].map((nth) =>
  buildProfile({
    timeNs: BigInt(nth),
    samples: [
      { stack: ["leaf", "main"], values: [nth, nth * 10_000_000] },
      { stack: ["main"], values: [7, 70_000_000], labels: [["path", "/a"]] },
    ],
    // What no writer writes, so that bytes are kept, too.
    ...(nth === 3 && { docUrl: "https://example.com" }),
  }),
);
const PACK = packOf(PROFILES);

function refusal(bytes: Uint8Array): DomainError {
  try {
    answersOf(bytes);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error("It was not refused");
}

test("any single bit that changes in any section is damage of that section", () => {
  for (const [name, { start, end }] of placesOf(PACK)) {
    for (let bit = start * 8; bit < end * 8; bit += 5) {
      const bytes = PACK.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(refusal(bytes)).toMatchObject({
        kind: "unavailable",
        message: expect.stringContaining(`section ${name} `),
      });
    }
  }
});

test("any single bit that changes in the directory is damage of the directory, or makes it no pack of this version", () => {
  const end = Math.min(...[...placesOf(PACK).values()].map(({ start }) => start));
  for (let bit = 0; bit < end * 8; bit++) {
    const bytes = PACK.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    expect(refusal(bytes).message, `bit ${bit}`).toMatch(/section directory is|version|does not begin as packs do/);
  }
});

test("a pack that is cut anywhere is damage", () => {
  for (let length = 0; length < PACK.length; length += 3) {
    expect(refusal(PACK.subarray(0, length)).message).toMatch(/is damaged|does not begin as packs do/);
  }
});

test("a section that is missing is damage of that section", () => {
  for (const name of placesOf(PACK).keys()) {
    const bytes = resealed(PACK, (section) => (name.startsWith(section.kind) ? undefined : section.bytes));
    expect(refusal(bytes).message).toContain(`section ${name} is damaged: it is not there`);
  }
});

test("checksums are what finds a false value", () => {
  const { start, end } = placesOf(PACK).get("columns 0")!;
  const sealed = Array.from({ length: end - start }, (_, at) =>
    resealed(PACK, ({ kind, bytes }) => (kind === "columns" ? changed(bytes, at) : bytes)),
  );
  const silent = sealed.filter((bytes) => {
    try {
      return sumOf(bytes) !== sumOf(PACK);
    } catch {
      return false;
    }
  });
  // With a checksum that fits, these would be other numbers …
  expect(silent.length).toBeGreaterThan(0);
  // … so each must be found by it.
  for (let at = start; at < end; at++) {
    expect(() => sumOf(changed(PACK, at))).toThrow("section columns 0 is damaged: its checksum does not fit");
  }
});

test("digests are what finds a profile in a false order", () => {
  const orders = resealed(PACK, ({ kind, bytes }) => (kind === "orders" ? changed(bytes, bytes.length - 1) : bytes));
  const { pack, profiles, tables } = decode(orders);
  const rebuilder = new ProfileRebuilder({ pack, profiles, tables });
  const messages = PROFILES.map((_, row) => {
    try {
      return Buffer.compare(rebuilder.rebuild(row), PROFILES[row]!) === 0 ? "the same" : "another";
    } catch (error) {
      return (error as Error).message;
    }
  });
  expect(messages).not.toContain("another");
  expect(messages.join()).toContain("its digest does not fit");
});

test("a newer version is refused by its number", () => {
  const bytes = PACK.slice();
  bytes[8] = PACK_VERSION + 1;
  expect(() => openPack(readerOf(bytes))).toThrow(
    `version ${PACK_VERSION + 1}, this program reads version ${PACK_VERSION}`,
  );
});

test("a profile of another shape, and what is no profile, are refused and change nothing", () => {
  const [first, second] = PROFILES as [Uint8Array, Uint8Array];
  const builder = new PackBuilder({ service: "api", type: "cpu", shape: shapeOf(first) });
  const other = buildProfile({ sampleTypes: [["samples", "count"]], samples: [{ stack: ["main"], values: [1] }] });
  builder.add(entryOf(first, 0), first);
  expect(() => builder.add(entryOf(other, 1), other)).toThrow("another shape");
  expect(() => builder.add(entryOf(other, 1), Buffer.from("nothing"))).toThrow(DomainError);
  builder.add(entryOf(second, 1), second);
  expect(answersOf(builder.finish().bytes)).toEqual(answersOf(packOf([first, second])));
});

function sumOf(bytes: Uint8Array): string {
  const decoded = decode(bytes);
  const rows = PROFILES.map((_, row) => row);
  return sumProfiles(decoded, rows).totals.join();
}

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  if (at < copy.length) copy[at]! ^= 1;
  return copy;
}
