// `go tool pprof` on our URLs: what it shows of a merge is what it shows of google/pprof's own merge of the same files. Needs Go.

import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildGo } from "../support/oracle.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const run = promisify(execFile);
const recorded = (name: string) => fileURLToPath(new URL(`../testdata/recorded/${name}`, import.meta.url));
const ROUNDS = [1, 2, 3];
const TYPES = ["cpu", "heap", "allocs", "block", "mutex", "goroutine"];

let server: ServerForTest;
let folder: string;
let oracle: string;
const ids = new Map<string, string>();

beforeAll(async () => {
  server = await runServer();
  folder = mkdtempSync(join(tmpdir(), "profusion-pprof-"));
  oracle = buildGo("oracle");
  for (const type of TYPES) for (const round of ROUNDS) await push(type, round);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function push(type: string, round: number): Promise<void> {
  const query = { service: "rec", type, labels: `version=1.${round}.0,env=test` };
  ids.set(`${type} ${round}`, await pushFile(recorded(`go-${type}-${round}.pb.gz`), query));
}

async function pushFile(file: string, query: Record<string, string>): Promise<string> {
  const url = `${server.url}/api/0/profiles?${new URLSearchParams(query)}`;
  const answer = await fetch(url, { method: "POST", body: readFileSync(file) });
  return ((await answer.json()) as { body: { id: string } }).body.id;
}

async function pprof(...args: string[]): Promise<string> {
  const { stdout } = await run("go", ["tool", "pprof", ...args], {
    env: { ...process.env, PPROF_TMPDIR: folder },
    maxBuffer: 1 << 26,
  });
  return stdout;
}

function mergedFile(type: string, rounds: readonly number[]): string {
  const out = join(folder, `${type}-${rounds.join("-")}.pb.gz`);
  execFileSync(oracle, ["merge", "-o", out, ...rounds.map((round) => recorded(`go-${type}-${round}.pb.gz`))]);
  return out;
}

const mergeUrl = (type: string, labels = "env=test") =>
  `${server.url}/api/0/profiles/merge?service=rec&type=${type}&last=9999d&labels=${labels}`;

describe.each(TYPES)("of %s,", (type) => {
  test("-top of the merge URL is -top of google/pprof's merge", async () => {
    const ours = await pprof("-top", mergeUrl(type));
    expect(ours).toContain("flat%");
    expect(ours).toBe(await pprof("-top", mergedFile(type, ROUNDS)));
  });

  test("-traces, with every stack and label, is the same too", async () => {
    const sorted = (text: string) => text.split(/^-+\+-+$/m).sort();
    expect(sorted(await pprof("-traces", mergeUrl(type)))).toEqual(
      sorted(await pprof("-traces", mergedFile(type, ROUNDS))),
    );
  });

  test("a URL by id shows the file itself", async () => {
    expect(await pprof("-top", `${server.url}/api/0/profiles/${ids.get(`${type} 2`)}`)).toBe(
      await pprof("-top", recorded(`go-${type}-2.pb.gz`)),
    );
  });
});

test("-diff_base of two merge URLs is that of two of google/pprof's merges", async () => {
  const ours = await pprof("-top", "-diff_base", mergeUrl("cpu", "version=1.1.0"), mergeUrl("cpu"));
  const theirs = await pprof("-top", "-diff_base", mergedFile("cpu", [1]), mergedFile("cpu", ROUNDS));
  expect(ours).toContain("flat%");
  expect(ours).toBe(theirs);
});

test("a URL of several ids shows their merge", async () => {
  const list = ROUNDS.map((round) => ids.get(`cpu ${round}`)).join("+");
  expect(await pprof("-top", `${server.url}/api/0/profiles/${list}`)).toBe(
    await pprof("-top", mergedFile("cpu", ROUNDS)),
  );
});

test("a selector in the URL does too", async () => {
  const query = encodeURIComponent('cpu{service="rec",version=~"1[.][123].*"}');
  const url = `${server.url}/api/0/profiles/merge?query=${query}&last=9999d`;
  expect(await pprof("-top", url)).toBe(await pprof("-top", mergedFile("cpu", ROUNDS)));
});

test("legacy formats show what their files show, alone and merged", async () => {
  const files = ["legacy/gperftools-cpu-64-little.prof", "legacy/gperftools-cpu-signal-frame.prof"].map((name) =>
    fileURLToPath(new URL(`../testdata/${name}`, import.meta.url)),
  );
  const legacyIds: string[] = [];
  for (const file of files) legacyIds.push(await pushFile(file, { service: "legacy", type: "cpu" }));
  for (const [at, file] of files.entries()) {
    const url = `${server.url}/api/0/profiles/${legacyIds[at]}`;
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(readFileSync(file))).toBe(true);
    expect(await pprof("-top", url)).toBe(await pprof("-top", file));
  }
  const merged = join(folder, "legacy.pb.gz");
  execFileSync(oracle, ["merge", "-o", merged, ...files]);
  const url = `${server.url}/api/0/profiles/merge?service=legacy&type=cpu&last=1h`;
  expect(await pprof("-top", url)).toBe(await pprof("-top", merged));
});

test("nothing found is an error that pprof shows", async () => {
  const failed = await pprof("-top", mergeUrl("cpu", "version=9")).catch(
    (error: Error & { stderr: string }) => error.stderr,
  );
  expect(failed).toContain("404");
});
