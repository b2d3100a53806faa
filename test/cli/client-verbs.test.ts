// `pack` and `merge` as processes against a server: what they print, what they exit with.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { inflate } from "../../src/pprof/gzip.ts";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const recorded = (name: string) => fileURLToPath(new URL(`../testdata/recorded/${name}`, import.meta.url));
const CPU = [1, 2, 3].map((round) => recorded(`go-cpu-${round}.pb.gz`));

let server: ServerForTest;
let folder: string;
beforeAll(async () => {
  server = await runServer();
  folder = mkdtempSync(join(tmpdir(), "profusion-cli-"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const cli = (...args: string[]) => runCli(args, { env: { PROFUSION_SERVER: server.url } });
const lines = (text: Buffer | string) => text.toString().split("\n").filter(Boolean);

describe("profusion pack", () => {
  test("packs what is loose, tells how it stands, and verifies it", async () => {
    const sent = await cli("push", "--service", "packed", ...CPU);
    expect(sent.code).toBe(0);
    const now = await cli("pack", "now");
    expect([now.code, now.stdout.toString()]).toEqual([
      0,
      expect.stringMatching(/^packed \d+ profiles into \d+ packs? of /),
    ]);
    const status = await cli("pack", "status");
    expect(status.stdout.toString()).toMatch(/^packed \d+ in \d+ packs? of .*; loose 0\n$/);
    expect(lines((await cli("status")).stdout)).toEqual([
      "version test",
      expect.stringMatching(/^profiles \d+, series \d+, services \d+$/),
      "as sent 0 B",
      expect.stringMatching(/^packed /),
    ]);
    const verified = await cli("pack", "verify");
    expect([verified.code, verified.stdout.toString()]).toEqual([
      0,
      expect.stringMatching(/^verified \d+ profiles in \d+ packs?, 0 of them damaged\n$/),
    ]);
  });
});

describe("profusion merge", () => {
  beforeAll(async () => {
    const pushed = await cli("push", "--service", "merged", "--label", "version=1", ...CPU);
    expect(pushed.code).toBe(0);
  });

  test.each([
    ["options", ["--service", "merged", "--type", "cpu", "--label", "version=1"]],
    ["a selector", ['cpu{service="merged",version=~"[0-9]"}']],
  ])("writes the merge of what %s select, and says on stderr what is in it", async (name, selection) => {
    const file = join(folder, `${name.replace(" ", "-")}.pb.gz`);
    const result = await cli("merge", ...selection, "--from", "2020-01-01T00:00:00", "-o", file);
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(/^merged 3 of 3 profiles, from .* to .*\n {2}samples: \d+\n {2}cpu: \d[.\d]+ s\n$/);
    const profile = decodeProfile(inflate(readFileSync(file), 1e8));
    expect(profile.samples.length).toBeGreaterThan(10);
    expect(readdirSync(folder).filter((each) => each.endsWith(".tmp"))).toEqual([]);
  });

  test("writes to stdout without -o", async () => {
    const result = await cli("merge", 'cpu{service="merged"}', "--last", "10000d");
    expect(result.code).toBe(0);
    expect(decodeProfile(inflate(result.stdout, 1e8)).sampleTypes.length).toBe(2);
  });

  test.each([
    ["nothing that matches", 3, ['cpu{service="nobody"}', "--last", "1h"], "none matches at any time"],
    ["a window that misses", 3, ['cpu{service="merged"}', "--last", "1s"], "the newest that matches began at 20"],
    ["no selection", 2, ["--last", "1h"], "Cannot merge without a selection"],
    ["no window", 2, ["cpu"], "Cannot merge without a window"],
    ["two windows", 2, ["cpu", "--last", "1h", "--from", "now-1h"], "Cannot take --last together with"],
    [
      "a window that ends before it starts",
      2,
      ["cpu", "--from", "now", "--to", "now-1h"],
      "Cannot look into an empty window",
    ],
    ["a selector and options", 2, ["cpu", "--service", "a", "--last", "1h"], "together with"],
    ["an expression that is none", 2, ['cpu{a=~"("}', "--last", "1h"], "Cannot use regular expression"],
    ["a bad time", 2, ["cpu", "--from", "tomorrow"], 'Cannot read time "tomorrow"'],
    [
      "a folder that is not there",
      2,
      ['cpu{service="merged"}', "--last", "10000d", "-o", "/nowhere/x.pb.gz"],
      "Cannot write /nowhere/x.pb.gz",
    ],
    ["a server that is no URL", 2, ["cpu", "--last", "1h", "--server", "localhost:1"], "Cannot use server"],
  ])("fails in one line for %s", async (_, code, args, message) => {
    const result = await cli("merge", ...args);
    expect(result.code).toBe(code);
    expect(result.stdout.length).toBe(0);
    expect(lines(result.stderr)).toEqual([expect.stringContaining(message)]);
  });
});
