// Go clients generated from the contract, with connect-go and grpc-go, call every method of a real server. Needs Go.

import { execFile, execFileSync } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildGo } from "../support/oracle.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FILES = [1, 2, 3].map((number) => join(ROOT, `test/testdata/recorded/go-cpu-${number}.pb.gz`));

let server: ServerForTest;
let connectClient: string;
let grpcClient: string;

beforeAll(async () => {
  connectClient = buildGo("connectclient");
  grpcClient = buildGo("grpcclient");
  server = await runServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function report(program: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(program, args);
  return JSON.parse(stdout) as Record<string, unknown>;
}

function everythingSeen(service: string, total: unknown) {
  return {
    existed: [false, true],
    batchCodes: [0, 3],
    downloadIsSent: true,
    pages: [2, 1],
    merged: 3,
    mergedTotal: total,
    topTotal: total,
    streamIsMerge: true,
    canonical: 'cpu{version=~"1|2"}',
    services: [`${service}:3`],
    types: ["cpu:3"],
    labelNames: ["version:3"],
    labelValues: ["1:1", "2:1", "3:1"],
    series: 3,
    pgoIsReported: true,
    policies: ["default", "own", "plain"],
    releases: ["r1"],
    releaseIsPgo: true,
    channels: ["canary:r1", "stable:r1"],
    unknownCode: "not_found",
    emptyCode: "invalid_argument",
    unboundedCode: "invalid_argument",
    previewCount: 2,
    foreignEtagCode: "aborted",
    deleted: 2,
    left: 0,
  };
}

test.each(["connect", "connect-json", "connect-get", "grpc", "grpcweb"])(
  "connect-go calls every method over %s, and its merge is google/pprof's sum",
  async (protocol) => {
    const service = `go-${protocol}`;
    const seen = await report(connectClient, [server.url, protocol, service, ...FILES]);
    expect(seen).toMatchObject(everythingSeen(service, seen.expectedTotal));
    expect(seen.mergedTotal).toBeGreaterThan(0);
  },
);

test("grpc-go calls every method, asks health, and learns the services by both versions of reflection", async () => {
  const seen = await report(grpcClient, [server.address, "go-grpc-go", ...FILES]);
  const reflected = [
    "profusion.v1.ProfileService",
    "profusion.v1.QueryService",
    "profusion.v1.PgoService",
    "profusion.v1.AdminService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
  ];
  expect(seen).toMatchObject({
    ...everythingSeen("go-grpc-go", seen.expectedTotal),
    health: "SERVING",
    watched: "SERVING",
    reflectedServices: reflected,
    reflectedServicesOld: reflected,
  });
});

test("the committed Go code is what the contract generates", async () => {
  const copy = await mkdtemp(join(tmpdir(), "profusion-gen-"));
  try {
    for (const path of ["buf.yaml", "buf.gen.go.yaml", "proto", "third_party"]) {
      await cp(join(ROOT, path), join(copy, path), { recursive: true });
    }
    for (const path of ["go.mod", "go.sum"]) await cp(join(ROOT, "test/go", path), join(copy, "test/go", path));
    const buf = join(ROOT, "node_modules/.bin/buf");
    execFileSync(buf, ["generate", "--template", "buf.gen.go.yaml"], { cwd: copy });
    await run("diff", ["-r", join(copy, "test/go/gen"), join(ROOT, "test/go/gen")]);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
});
