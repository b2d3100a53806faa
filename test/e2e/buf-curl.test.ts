// buf curl finds and calls the contract through server reflection alone: it is not given the .proto files.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const BUF = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));
const run = promisify(execFile);

let server: ServerForTest;
/** Empty, so that no buf.yaml is found. */
let folder: string;

beforeAll(async () => {
  server = await runServer();
  folder = await mkdtemp(join(tmpdir(), "profusion-buf-"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function bufCurl(...args: string[]): Promise<string> {
  const { stdout } = await run(BUF, ["curl", "--http2-prior-knowledge", ...args], { cwd: folder });
  return stdout;
}

test.each(["grpc-v1", "grpc-v1alpha"])("buf curl lists the methods by reflection %s", async (version) => {
  const listed = await bufCurl("--reflect-protocol", version, "--list-methods", server.url);
  expect(listed.trim().split("\n")).toEqual(
    expect.arrayContaining([
      "profusion.v1.ProfileService/CreateProfile",
      "profusion.v1.QueryService/MergeProfiles",
      "grpc.health.v1.Health/Check",
    ]),
  );
});

test.each(["connect", "grpc", "grpcweb"])("buf curl calls a method over %s", async (protocol) => {
  const data = JSON.stringify({ selector: 'heap{service="auth"}' });
  const url = `${server.url}/profusion.v1.QueryService/ParseSelector`;
  const answer = JSON.parse(await bufCurl("--protocol", protocol, "--data", data, url)) as object;
  expect(answer).toMatchObject({
    canonicalSelector: 'heap{service="auth"}',
    matchers: [
      { name: "service", operator: "MATCH_OPERATOR_EQUAL", value: "auth" },
      { name: "type", operator: "MATCH_OPERATOR_EQUAL", value: "heap" },
    ],
  });
});

test("buf curl reads an error in full", async () => {
  const url = `${server.url}/profusion.v1.ProfileService/GetProfile`;
  const failed = await bufCurl("--data", '{"id":"nobody"}', url).then(
    () => "",
    (error: { stderr: string }) => error.stderr,
  );
  expect(JSON.parse(failed)).toMatchObject({ code: "not_found", message: 'There is no profile "nobody"' });
});

test("health answers", async () => {
  const url = `${server.url}/grpc.health.v1.Health/Check`;
  expect(JSON.parse(await bufCurl("--protocol", "grpc", "--data", "{}", url))).toEqual({ status: "SERVING" });
});
