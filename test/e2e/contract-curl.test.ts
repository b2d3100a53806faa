// The contract from a shell: curl with JSON, by POST and by GET. Needs curl.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const FILE = fileURLToPath(new URL("../testdata/recorded/go-cpu-1.pb.gz", import.meta.url));
const SELECTION = { selector: 'cpu{service="shell"}', interval: { startTime: "2000-01-01T00:00:00Z" } };
const run = promisify(execFile);

let server: ServerForTest;
beforeAll(async () => {
  server = await runServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function curl(...args: string[]): Promise<string> {
  const { stdout } = await run("curl", ["-sS", ...args], { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

async function post(method: string, message: object): Promise<Record<string, unknown>> {
  const data = ["-H", "Content-Type: application/json", "--data", JSON.stringify(message)];
  return JSON.parse(await curl(...data, `${server.url}/profusion.v1.${method}`)) as Record<string, unknown>;
}

test("a profile is pushed, listed, merged and deleted with curl and JSON", async () => {
  const profileBytes = (await readFile(FILE)).toString("base64");
  const metadata = { service: "shell", profileType: "cpu", labels: [{ name: "version", value: "1" }] };
  const created = await post("ProfileService/CreateProfile", { metadata, profileBytes });
  const { id } = created.profile as { id: string };

  const listed = await post("ProfileService/ListProfiles", { selector: 'cpu{service="shell",version="1"}' });
  expect(listed.profiles).toMatchObject([{ id, service: "shell", startTimeSource: "START_TIME_SOURCE_PROFILE" }]);

  const merged = await post("QueryService/MergeProfiles", { selection: SELECTION });
  expect(merged).toMatchObject({ summary: { matched: "1", merged: "1", loose: "1" } });

  expect(await post("ProfileService/DeleteProfile", { id })).toEqual({});
  expect(await post("ProfileService/GetProfile", { id })).toEqual({
    code: "not_found",
    message: `There is no profile "${id}"`,
  });
});

test("a read is a GET, whose ETag saves the second one", async () => {
  const url = `${server.url}/profusion.v1.QueryService/ListServices`;
  const ask = ["-G", "--data-urlencode", "encoding=json", "--data-urlencode", "message={}", "-D", "-"];
  const first = await curl(...ask, url);
  expect(first).toMatch(/^HTTP\/1.1 200/);
  const etag = /^etag: (.+)\r$/im.exec(first)?.[1] ?? "";
  expect(await curl(...ask, "-H", `If-None-Match: ${etag}`, url)).toMatch(/^HTTP\/1.1 304/);
});

test("a question over HTTP/2 without TLS is answered too", async () => {
  const json = ["-H", "Content-Type: application/json", "--data", '{"selector":"{a=~\\"b|c\\"}"}'];
  const url = `${server.url}/profusion.v1.QueryService/ParseSelector`;
  const answer = await curl("--http2-prior-knowledge", "-w", " HTTP/%{http_version}", ...json, url);
  expect(answer).toMatch(/"canonicalSelector":"\{a=~\\"b\|c\\"\}".* HTTP\/2$/);
});

test("an unknown method is not found, and a wrong request says what is wrong", async () => {
  const status = ["-o", "/dev/null", "-w", "%{http_code}"];
  expect(await curl(...status, `${server.url}/profusion.v1.QueryService/Guess`)).toBe("404");
  expect(await post("QueryService/MergeProfiles", { selection: { selector: "cpu" } })).toMatchObject({
    code: "invalid_argument",
    message: expect.stringContaining("interval"),
  });
});
