// The edge map of src/pgo/edges.ts against `go tool preprofile`, the compiler's own reader, byte for byte: weights and order included. Needs Go.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fleetInTime } from "../../src/fleet/fleet.ts";
import { readBuilds } from "../../src/fleet/real-profiles.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { checkPgoFile } from "../../src/pgo/check.ts";
import { pgoEdges, preprofileText } from "../../src/pgo/edges.ts";
import { type PgoOptions, PLAIN_PGO_OPTIONS, preparePgo } from "../../src/pgo/prepare.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { Merger } from "../../src/pprof/merger.ts";
import { generateCpuProfile } from "../support/pgo-generator.ts";
import { askPreprofileDigests, Preprofile, readPreprofileDigests, refusalOf } from "../support/preprofile.ts";
import { buildProfile } from "../support/profile-builder.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";

const run = promisify(execFile);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const SEED_FOLDER = join(import.meta.dirname, "../../bench/testdata/seed");

let folder: string;
let tool: Preprofile;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-pgo-"));
  tool = new Preprofile();
  console.log(`SEED=${SEED}`);
});
afterAll(() => {
  tool[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const edgesOf = (raw: Uint8Array) => pgoEdges(decodeProfile(raw, { encoding: "latin1" }));
const textOf = (raw: Uint8Array) => preprofileText(edgesOf(raw));

/** Answers how many lines the tool prints. */
function expectSame(raw: Uint8Array, name: string): number {
  const { refusal } = edgesOf(raw);
  const answer = tool.ask(raw);
  if (typeof answer === "string") {
    expect(refusal, name).toBe(refusalOf(answer));
    return 0;
  }
  expect(refusal, name).toBeUndefined();
  expect(textOf(raw), name).toBe(answer.toString("latin1"));
  return answer.toString("latin1").split("\n").length;
}

/** What is prepared makes the map that it says it does. */
function expectPrepared(raw: Uint8Array, options: Partial<PgoOptions>, name: string): void {
  const { bytes, edges } = preparePgo(raw, { ...PLAIN_PGO_OPTIONS, ...options }, DEFAULT_LIMITS);
  const answer = tool.ask(bytes);
  expect(answer.toString("latin1"), name).toBe(preprofileText(edges));
}

test("the committed digests are the tool's own answers of today", () => {
  expect(askPreprofileDigests(tool)).toEqual(readPreprofileDigests());
});

describe("equal to what the tool prints", () => {
  test("300 invented CPU profiles, before and after they are prepared with any number of kept locations", () => {
    let lines = 0;
    for (let seed = SEED; seed < SEED + 300; seed++) {
      const raw = generateCpuProfile(seed);
      lines += expectSame(raw, `seed ${seed}`);
      expectPrepared(raw, { keepLocations: [0, 2, 3, 5][seed % 4]! }, `prepared, seed ${seed}`);
    }
    expect(lines).toBeGreaterThan(10_000);
  });

  test("100 sets of profiles of every kind of writer, those that the compiler refuses too", () => {
    for (let seed = SEED; seed < SEED + 100; seed++) {
      for (const [nth, profile] of generateSet(seed).entries()) {
        expectSame(encodeGenerated(profile), `seed ${seed}, ${nth}`);
      }
    }
  });

  test("profiles of a fleet, each and merged", () => {
    const fleet = fleetInTime({
      builds: readBuilds(SEED_FOLDER),
      seed: SEED,
      startNs: 1_790_000_000_000_000_000n,
      hours: 24,
      instances: 2,
      perInstance: 6,
    });
    const byService = Map.groupBy(fleet, ({ service }) => service);
    expect(byService.size).toBeGreaterThan(2);
    for (const [service, profiles] of byService) {
      const merger = new Merger();
      for (const [nth, { bytes }] of profiles.entries()) {
        expectSame(bytes, `${service} ${nth}`);
        merger.add(bytes, nth);
      }
      const merged = merger.finish().bytes;
      expect(expectSame(merged, service)).toBeGreaterThan(100);
      for (const keepLocations of [0, 2, 3, 4, 5, 8]) {
        const prepared = preparePgo(merged, { ...PLAIN_PGO_OPTIONS, keepLocations }, DEFAULT_LIMITS).bytes;
        expect(textOf(prepared) === textOf(merged), `${service}, ${keepLocations} locations`).toBe(true);
        expectSame(prepared, `${service}, ${keepLocations} locations`);
      }
    }
  });
});

describe("go build", () => {
  async function build(pgo: Uint8Array): Promise<string> {
    const module = mkdtempSync(join(folder, "module-"));
    writeFileSync(join(module, "go.mod"), "module example.com/m\n\ngo 1.26\n");
    writeFileSync(join(module, "main.go"), "package main\n\nfunc main() {}\n");
    writeFileSync(join(module, "default.pgo"), pgo);
    try {
      await run("go", ["build", "-o", "program", "."], { cwd: module, env: { ...process.env, GOFLAGS: "" } });
      return "builds";
    } catch (error) {
      return String((error as { stderr?: string }).stderr);
    }
  }

  const edge = (callee: string) => ({
    stack: [
      { address: 1n, lines: [{ name: callee, startLine: 1n, line: 2n }] },
      { address: 2n, lines: [{ name: "main.main", startLine: 1n, line: 2n }] },
    ],
    values: [1, 10],
  });
  const lineBreak = buildProfile({ samples: [edge("main.a\nb"), edge("main.ok")] });
  const longName = (bytes: number) => buildProfile({ samples: [edge("x".repeat(bytes))] });

  test("fails on what the check calls text, preprofile's form and a name with a line break or of 64 KiB, and builds with what is prepared of it", async () => {
    const failing: Record<string, Uint8Array> = {
      html: Buffer.from("<!DOCTYPE html><html><body>Not Found</body></html>"),
      json: Buffer.from('{"message":"Not Found","code":404}'),
      text: Buffer.from("404 page not found\n"),
      preprofile: Buffer.from("GO PREPROFILE V1\nmain.main\nmain.f\n1 2\n"),
      "line break": lineBreak,
      "long name": longName(65_536),
    };
    for (const [name, file] of Object.entries(failing)) {
      expect(await build(file), name).not.toBe("builds");
      expect(checkPgoFile(file, DEFAULT_LIMITS).findings[0]!.reason, name).toMatch(/^go build fails on it[:,] /);
    }
    expect(await build(longName(65_535))).toBe("builds");
    expect(checkPgoFile(longName(65_535), DEFAULT_LIMITS).findings[0]!.name).toBe("samples");
    expect(await build(preparePgo(lineBreak, PLAIN_PGO_OPTIONS, DEFAULT_LIMITS).bytes)).toBe("builds");
  });

  test("builds with an empty file and with what is prepared of a profile without start lines", async () => {
    const bare = buildProfile({ samples: [{ stack: ["main.leaf", "main.main"], values: [1, 10] }] });
    expect(await build(bare)).toContain("missing Function.start_line");
    expect(await build(preparePgo(bare, PLAIN_PGO_OPTIONS, DEFAULT_LIMITS).bytes)).toBe("builds");
    expect(await build(new Uint8Array(0))).toBe("builds");
  });
});

describe("the compiler", () => {
  // Too large to be inlined without heat; `caller` begins on line 3 and calls on lines 6 and 7.
  const SOURCE = `package p

func caller(n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		sum += hot(i)
		sum += warm(i)
	}
	return sum
}

${["hot", "warm"].map(largeFunction).join("\n")}`;

  function largeFunction(name: string): string {
    const steps = Array.from({ length: 16 }, (_, nth) => `\tx = (x*${nth + 3} + x>>${nth + 1}) ^ x`);
    return `func ${name}(x int) int {\n${steps.join("\n")}\n\treturn x\n}\n`;
  }

  const callOf = (name: string, startLine: bigint, line: bigint) => ({
    stack: [
      { address: startLine, lines: [{ name: `p.${name}`, startLine, line: startLine + 1n }] },
      { address: line, lines: [{ name: "p.caller", startLine: 3n, line }] },
    ],
    values: [1000, 10_000],
  });
  const both = buildProfile({ samples: [callOf("hot", 12n, 6n), callOf("warm", 32n, 7n)] });

  async function inlined(pgo: Uint8Array): Promise<(string | undefined)[]> {
    writeFileSync(join(folder, "p.go"), SOURCE);
    writeFileSync(join(folder, "p.pgo"), pgo);
    const arguments_ = ["tool", "compile", "-p", "p", "-pgoprofile", "p.pgo", "-m", "-o", "p.o", "p.go"];
    const { stdout } = await run("go", arguments_, { cwd: folder });
    return [...stdout.matchAll(/inlining call to (hot|warm)/g)].map(([, name]) => name);
  }

  test("inlines what a prepared profile shows to be hot, and not what is on the no-inline list or dropped", async () => {
    const prepared = (options: Partial<PgoOptions>) =>
      preparePgo(both, { ...PLAIN_PGO_OPTIONS, keepLocations: 2, ...options }, DEFAULT_LIMITS).bytes;
    expect(await inlined(prepared({ drop: ["."] }))).toEqual([]);
    expect(await inlined(prepared({}))).toEqual(["hot", "warm"]);
    expect(await inlined(prepared({ noInline: ["p.hot"] }))).toEqual(["warm"]);
    expect(await inlined(prepared({ drop: ["[.]warm$"] }))).toEqual(["hot"]);
  });
});
