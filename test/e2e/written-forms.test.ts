// Profiles fresh from Go's runtime and from google/pprof's writer are written again exactly (src/pack/exact). Needs Go.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { exactnessOf } from "../pack/exact/exactness.ts";
import { buildGo } from "../support/oracle.ts";

const folder = mkdtempSync(join(tmpdir(), "written-forms-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("cpu, heap, allocs, goroutine, block, mutex and threadcreate profiles of today's Go need no orders", () => {
  execFileSync(buildGo("record"), [folder]);
  const profiles = filesIn(folder, ".pb.gz").map((file) => gunzipSync(readFileSync(file)));
  expect(profiles.length).toBeGreaterThan(15);
  expect(exactnessOf(profiles)).toMatchObject({ goRuntime: profiles.length, verbatim: 0, orderBytes: 0 });
});

test("google/pprof's rewritings and merges of them, and of other writers' profiles, need none either", () => {
  const own = filesIn(folder, ".pb.gz").sort();
  const seeds = filesIn(new URL("../../bench/testdata/seed", import.meta.url).pathname, ".pb.gz").sort();
  const others = filesIn(new URL("../testdata/written", import.meta.url).pathname, ".pb.gz").sort();
  execFileSync(buildGo("rewrite"), [folder, ...own, ...seeds, ...others]);
  const profiles = filesIn(folder, ".pb").map((file) => readFileSync(file));
  expect(profiles.length).toBeGreaterThan(150);
  const seen = exactnessOf(profiles);
  expect(seen).toMatchObject({ tables: profiles.length, verbatim: 0 });
  expect(seen.orderBytes / profiles.length).toBeLessThan(20);
});

function filesIn(path: string, end: string): string[] {
  const names = readdirSync(path, { recursive: true }) as string[];
  return names.filter((name) => name.endsWith(end)).map((name) => join(path, name));
}
