// What Go's runtime wrote is written again byte for byte, from nothing but the rows' order and a skeleton of a few bytes.

import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { exactnessOf } from "./exactness.ts";

function profilesIn(folder: string, part = ""): Buffer[] {
  const url = new URL(folder, import.meta.url);
  const names = (readdirSync(url, { recursive: true }) as string[]).filter((name) => name.endsWith(".pb.gz"));
  return names
    .filter((name) => !name.startsWith("node") && name.includes(part))
    .map((name) => gunzipSync(readFileSync(new URL(name, url))));
}

test("every recorded profile of Go's runtime is written again exactly, without orders, one skeleton per type", () => {
  const profiles = profilesIn("../../testdata/recorded/");
  expect(exactnessOf(profiles)).toMatchObject({ goRuntime: profiles.length, orderBytes: 0, skeletons: { size: 5 } });
});

test("so is every profile of the benchmarks' seed, and all CPU profiles have the same skeleton", () => {
  const seed = "../../../bench/testdata/seed/";
  const profiles = profilesIn(seed);
  expect(profiles.length).toBeGreaterThan(80);
  expect(exactnessOf(profiles)).toMatchObject({ goRuntime: profiles.length, orderBytes: 0 });
  expect(exactnessOf(profilesIn(seed, "/cpu/"))).toMatchObject({ skeletons: { size: 1 } });
});
