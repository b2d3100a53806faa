// The server's profiles of itself as Go reads them. Needs Go.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeProfile } from "../../src/pprof/encode.ts";
import { cpuProfileOfV8 } from "../../src/pprof/v8-profiles.ts";
import { runServe } from "../support/run-cli.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-self-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function goTop(source: string, ...options: string[]): string {
  const environment = { ...process.env, PPROF_TMPDIR: folder };
  return execFileSync("go", ["tool", "pprof", "-top", ...options, source], { encoding: "utf8", env: environment });
}

test("go tool pprof reads of a known tree what is in it", () => {
  const frame = (functionName: string, lineNumber: number) => {
    return { functionName, url: "file:///app/main.ts", lineNumber, columnNumber: 0 };
  };
  const nodes = [
    { id: 1, callFrame: frame("outer", 0), hitCount: 1, children: [2], positionTicks: [{ line: 3, ticks: 1 }] },
    { id: 2, callFrame: frame("inner", 9), hitCount: 3, positionTicks: [{ line: 11, ticks: 3 }] },
  ];
  const profile = cpuProfileOfV8({ nodes, startTime: 0, endTime: 1e6 }, 1_700_000_000_000_000_000n, 10_000_000n);
  const file = join(folder, "known.pb");
  writeFileSync(file, encodeProfile(profile));
  const rows = (text: string) => text.split("\n").map((line) => line.trim().replace(/\s+/g, " "));
  expect(rows(goTop(file)).slice(-3, -1)).toEqual([
    "30ms 75.00% 75.00% 30ms 75.00% inner",
    "10ms 25.00% 100% 40ms 100% outer",
  ]);
  expect(rows(goTop(file, "-lines"))).toContain("30ms 75.00% 75.00% 30ms 75.00% inner /app/main.ts:11");
});

test("a server that profiles itself shows what it did, of CPU and of the heap", async () => {
  await using server = await runServe(join(folder, "data"), ["--self-profile"]);
  const body = readFileSync(join(import.meta.dirname, "../testdata/recorded/go-cpu-1.pb.gz"));
  const push = async (label: number) => {
    const answer = await fetch(`${server.url}/api/0/profiles?service=load&type=cpu&labels=n=${label}`, {
      method: "POST",
      body,
    });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  };
  const own = `${server.url}/api/0/profiles/merge?service=profusion&last=1h`;
  for (let label = 0; !(await fetch(`${own}&type=heap`)).ok; label++) await push(label);
  const cpu = goTop(`${own}&type=cpu`);
  expect(cpu).toMatch(/^Type: cpu$/m);
  expect(cpu).toMatch(/ push$/m); // of src/repository/ingest.ts
  expect(goTop(`${own}&type=heap`)).toMatch(/^Type: inuse_space$/m);
});
