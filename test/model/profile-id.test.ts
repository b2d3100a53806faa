// The vectors of test/testdata/vectors/ids.json: other programs may compute our ids, so they never change.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Labels } from "../../src/model/labels.ts";
import { formatProfileId, labelsHash, parseProfileId, profileId } from "../../src/model/profile-id.ts";
import { Random } from "../support/random.ts";

interface Vector {
  name: string;
  tenant: string;
  service: string;
  type: string;
  labels: [name: string, value: string][];
  timeNs: string;
  digest: string;
  id: string;
  labelsHash: string;
}

const path = new URL("../testdata/vectors/ids.json", import.meta.url);
const { vectors } = JSON.parse(readFileSync(path, "utf8")) as { vectors: Vector[] };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const labelsOf = (vector: Vector): Labels => vector.labels.map(([name, value]) => ({ name, value }));
const identityOf = (vector: Vector) => ({
  ...vector,
  labels: labelsOf(vector),
  timeNs: BigInt(vector.timeNs),
  digest: Buffer.from(vector.digest, "hex"),
});

describe.each(vectors)("vector $name", (vector) => {
  test("gives its id and its labels hash", () => {
    expect(formatProfileId(profileId(identityOf(vector)))).toBe(vector.id);
    expect(hex(labelsHash(labelsOf(vector)))).toBe(vector.labelsHash);
  });

  test("follows from the layout that docs/formats.md tells, written here a second time", () => {
    const time = Buffer.alloc(8);
    time.writeBigInt64BE(BigInt(vector.timeNs));
    const texts = [vector.tenant, vector.service, vector.type, ...vector.labels.flat()].map((text) =>
      Buffer.from(text),
    );
    const digest = createHash("sha256");
    for (const part of [...texts, time, Buffer.from(vector.digest, "hex")]) {
      digest.update(Buffer.from(part.length.toString(16).padStart(8, "0"), "hex")).update(part);
    }
    const milliseconds = (BigInt(vector.timeNs) / 1_000_000n).toString(16).padStart(12, "0");
    const bits = BigInt(`0x${milliseconds}${digest.digest("hex").slice(0, 20)}`);
    let text = "";
    for (let shift = 125n; shift >= 0n; shift -= 5n) {
      text += "0123456789abcdefghjkmnpqrstvwxyz"[Number((bits >> shift) & 31n)];
    }
    expect(vector.id).toBe(text);
  });
});

test("the vectors differ pairwise: tenant, service, type, labels, time and digest all count", () => {
  expect(new Set(vectors.map(({ id }) => id)).size).toBe(vectors.length);
});

test("ids sort by time, as bytes and as text", () => {
  const base = identityOf(vectors[0]!);
  const ids = [0n, 1n, 999n, 10n ** 6n, 2n ** 40n].map((ms) => profileId({ ...base, timeNs: ms * 1_000_000n }));
  const texts = ids.map(formatProfileId);
  expect([...texts].sort()).toEqual(texts);
  expect([...ids].sort(Buffer.compare)).toEqual(ids);
});

test("parseProfileId() reads back 2000 random ids, in either case", () => {
  const seed = 11;
  const random = new Random(seed);
  for (let round = 0; round < 2000; round++) {
    const id = Uint8Array.from({ length: 16 }, () => random.between(0, 255));
    const text = formatProfileId(id);
    expect(text, `seed ${seed}`).toMatch(/^[0-7][0-9a-hjkmnp-tv-z]{25}$/);
    expect(hex(parseProfileId(text)!)).toBe(hex(id));
    expect(hex(parseProfileId(text.toUpperCase())!)).toBe(hex(id));
  }
  expect(formatProfileId(new Uint8Array(16))).toBe("0".repeat(26));
  expect(formatProfileId(new Uint8Array(16).fill(255))).toBe(`7${"z".repeat(25)}`);
});

test.each([
  "",
  "0".repeat(25),
  "0".repeat(27),
  `8${"0".repeat(25)}`,
  `0${"i".repeat(25)}`,
  `0${"u".repeat(25)}`,
  "../../etc/passwd",
  `${"0".repeat(26)}\n`,
])("%j is no id", (text) => {
  expect(parseProfileId(text)).toBeUndefined();
});
