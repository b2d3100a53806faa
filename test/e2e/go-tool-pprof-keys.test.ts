// `go tool pprof` on a server with keys: the key travels in the URL, as user information or as a token. Needs Go.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const run = promisify(execFile);
const KEY = "a-key-of-pprof-0123456789";
const FILE = fileURLToPath(new URL("../testdata/recorded/go-cpu-1.pb.gz", import.meta.url));

let folder: string;
let server: ServerForTest;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-pprof-keys-"));
  const keys = join(folder, "keys");
  writeFileSync(keys, `pprof ${KEY} read,write`);
  server = await runServer({}, undefined, { keys });
  const request = { method: "POST", headers: { authorization: `Bearer ${KEY}` }, body: readFileSync(FILE) };
  expect((await fetch(`${server.url}/api/0/profiles?service=a&type=cpu`, request)).status).toBe(200);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const top = async (url: string) =>
  (await run("go", ["tool", "pprof", "-top", url], { env: { ...process.env, PPROF_TMPDIR: folder } })).stdout;
const urlOf = (user: string, query = "") =>
  `http://${user}${server.address}/api/0/profiles/merge?service=a&type=cpu&last=9999d${query}`;

test.each([
  ["the password of the URL", `x:${KEY}@`, ""],
  ["the user of the URL", `${KEY}@`, ""],
  ["a token in its query", "", `&token=${KEY}`],
])("%s is the key", async (_, user, query) => {
  expect(await top(urlOf(user, query))).toBe(await top(FILE));
});

test("without one, and with a wrong one, pprof shows why", async () => {
  const failure = (url: string) => top(url).catch((error: Error & { stderr: string }) => error.stderr);
  expect(await failure(urlOf(""))).toContain("401");
  expect(await failure(urlOf("x:wrong-key-0123456789@"))).toContain("401");
});
