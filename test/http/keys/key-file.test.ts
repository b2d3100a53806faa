// The file of keys as it is written: what each line allows, and what is said of lines that cannot be.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseKeyFile } from "../../../src/http/keys/key-file.ts";
import { slotOfKey } from "../../../src/http/keys/key-slot.ts";
import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";
import { isSource } from "../../../src/model/source.ts";

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
    publicLabels: new Map(),
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
    /^keys:2: .*"ci" is taken.*\nkeys:3: .*that of "ci".*\nkeys:4: .*too short.*\nkeys:5: .*third word has no scopes/,
  );
});

test("what stands at a wrong place may be a key, and is not shown", () => {
  const secret = "c2VjcmV0+c2VjcmV0";
  for (const line of [
    `${secret}==`,
    `ci half ${secret} write`,
    `ci half half write ${secret}`,
    `${secret} "${KEY}" read`,
  ]) {
    const refusal = (() => {
      try {
        read(line);
      } catch (error) {
        return String(error);
      }
      return "";
    })();
    expect(refusal).toContain("keys:1: ");
    expect(refusal).not.toContain(secret);
  }
});

test("places have names of their own, so that what one has sent says nothing of another", () => {
  const { places } = read("range 10.0.0.0/8 submit service=a,x=1\nrange 11.0.0.0/8 submit service=b\n");
  const prefixes = places.map(({ permit }) => permit.sourcePrefix);
  expect(new Set(prefixes).size).toBe(2);
  for (const prefix of prefixes) expect(isSource(`${prefix}/0123456789abcdef`)).toBe(true);
});

describe("a line is refused", () => {
  test.each([
    [`-x "${KEY}" read`, /first word is no key's id/],
    [`a "${KEY}"`, /third word has no scopes/],
    [`a "${KEY}" submit`, /needs the service/],
    [`a "${KEY}" submit,read service=a`, /third word has no scopes/],
    [`a "${KEY}" write,read service=a`, /scope read is over everything/],
    [`a "${KEY}" delete env=a`, /scope delete is over everything/],
    [`a "${KEY}" write auth`, /after the scopes binds nothing/],
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
