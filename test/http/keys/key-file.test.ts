// The file of keys as it is written: what each line allows, and what is said of lines that cannot be.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseKeyFile } from "../../../src/http/keys/key-file.ts";
import { slotOfKey } from "../../../src/http/keys/key-slot.ts";
import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";

const KEY = "a key of sixteen or more";
const read = (text: string) => parseKeyFile(text, "keys", DEFAULT_LIMITS);
const permitOf = (line: string, key = KEY) => read(line).keys.get(slotOfKey(Buffer.from(key)));

test("a key is found by what it is, written in plain or hashed", () => {
  const hashed = createHash("sha256").update(KEY).digest("hex");
  for (const secret of [`"${KEY}"`, `sha256:${hashed}`]) {
    const permit = permitOf(`ci ${secret} write,pgo service=auth,region=eu zone="a, b"   # of the pipeline`);
    expect(permit).toMatchObject({ name: "ci", isPublic: false, service: "auth" });
    expect([...permit!.scopes]).toEqual(["write", "pgo"]);
    expect(permit!.labels).toEqual([
      { name: "region", value: "eu" },
      { name: "zone", value: "a, b" },
    ]);
  }
  expect(permitOf(`ci "${KEY}" write`, `${KEY} `)).toBeUndefined();
  expect(permitOf(`ci "${KEY}" write`, hashed)).toBeUndefined();
});

test("neither a key nor its digest is held, in whole or in part: look-ups are of what only this process can compute", () => {
  const { keys } = read(`ci "${KEY}" read`);
  const digest = createHash("sha256").update(KEY).digest();
  const [slot] = [...keys.keys()];
  expect(slot).toBe(slotOfKey(Buffer.from(KEY)));
  const held = JSON.stringify([...keys]) + Buffer.from(slot!, "base64").toString("hex");
  for (const secret of [KEY, digest.toString("hex"), digest.toString("base64")]) expect(held).not.toContain(secret);
  expect(Buffer.from(slot!, "base64").subarray(0, 4)).not.toEqual(digest.subarray(0, 4));
});

test("a file without lines allows nobody anything", () => {
  expect(read("\n# nothing yet\r\n\n")).toEqual({
    keys: new Map(),
    certificates: new Map(),
    places: [],
    admitted: new Set(),
    publicLabels: new Set(),
  });
});

test("every fault is told, each with its line", () => {
  const lines = [
    `ci "${KEY}" read`,
    `ci "another key of sixteen" read`,
    `other "${KEY}" read`,
    "short 0123456789abcde write",
    `admin "a third key of sixteen" admin,root`,
  ];
  expect(() => read(lines.join("\n"))).toThrow(
    /^keys:2: .*"ci" is taken.*\nkeys:3: .*that of "ci".*\nkeys:4: .*too short.*\nkeys:5: .*"root" is none/,
  );
});

describe("a line is refused", () => {
  test.each([
    [`-x "${KEY}" read`, /key's id "-x" is none/],
    [`a "${KEY}"`, /scope "" is none/],
    [`a "${KEY}" submit`, /needs the service/],
    [`a "${KEY}" submit,read service=a`, /scope "submit" is none/],
    [`a "${KEY}" write,read service=a`, /scope read is over everything/],
    [`a "${KEY}" delete env=a`, /scope delete is over everything/],
    [`a "${KEY}" write auth`, /"auth" binds nothing/],
    [`a "${KEY} write`, /quote is not closed/],
    [`a "${KEY}" write service=`, /without a service/],
    ["a certificate: write", /has no name: write certificate:NAME/],
    ["a certificate:x write\nb certificate:x read", /certificate of "b" is that of "a"/],
    ["listener 8080 write", /HOST:PORT/],
    ["listener a:65536 write", /HOST:PORT/],
    ["range 10.0.0.0/99 write", /the range "10.0.0.0\/99"/],
    ["range 10.0.0.0/ write", /the range "10.0.0.0\/"/],
    ["range fleet write", /the range "fleet"/],
    ["admit oss", /"oss" is no source/],
    ["admit oss/0123456789abcdef twice", /is no source/],
  ])("%s", (line, reason) => {
    expect(() => read(line)).toThrow(reason);
  });
});
