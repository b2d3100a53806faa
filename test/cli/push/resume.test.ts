// `push` while the server, or the way to it, fails: what is sent again, what is told, and what the next run sends.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  BatchCreateProfilesRequestSchema,
  CreateProfileRequestSchema,
} from "../../../gen/profusion/v1/profile_service_pb.ts";
import { EXIT } from "../../../src/cli/exit-code.ts";
import { buildGzip } from "../../support/profile-builder.ts";
import { runCli, runServe } from "../../support/run-cli.ts";
import { type Fate, type ProxyForTest, runProxy } from "../../support/run-proxy.ts";
import { runServer, type ServerForTest } from "../../support/run-server.ts";
import { listProfiles } from "./list-profiles.ts";

const START_NS = BigInt(Date.UTC(2026, 2, 2)) * 1_000_000n;

let server: ServerForTest;
let folder: string;
beforeAll(async () => {
  server = await runServer();
  folder = mkdtempSync(join(tmpdir(), "profusion-resume-"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const lines = (text: Buffer | string) => text.toString().split("\n").filter(Boolean);
const journals = (name: string) => readdirSync(join(folder, name, "state/profusion/push"));

interface PushOptions {
  state?: string;
  started?: (child: ChildProcess) => void;
}

function push(name: string, url: string, options: readonly string[] = [], { state, started }: PushOptions = {}) {
  const args = ["push", "--service", name, ...options, join(folder, name, "files")];
  const env = { PROFUSION_SERVER: url, XDG_STATE_HOME: state ?? join(folder, name, "state") };
  return runCli(args, { env, ...(started && { started }) });
}

/** Files of CPU profiles, each of its own; `timeless` ones say no time. */
function writeFiles(name: string, count: number, { timeless = false } = {}): void {
  mkdirSync(join(folder, name, "files"), { recursive: true });
  for (let number = 0; number < count; number++) {
    const timeNs = timeless ? 0n : START_NS + BigInt(number) * 1_000_000_000n;
    const bytes = buildGzip({ timeNs, samples: [{ stack: [`f${number}`, "main"], values: [1, number + 1] }] });
    writeFileSync(join(folder, name, "files", String(number).padStart(4, "0")), bytes);
  }
}

/** How many profiles each request carried. */
function carried({ requests }: ProxyForTest, fate: Fate): number {
  const counts = requests
    .filter((request) => request.fate === fate)
    .map(({ path, body }) =>
      path.endsWith("/BatchCreateProfiles")
        ? fromBinary(BatchCreateProfilesRequestSchema, body).requests.length
        : Number(fromBinary(CreateProfileRequestSchema, body).profileBytes.length > 0),
    );
  return counts.reduce((sum, count) => sum + count, 0);
}

describe("a way that fails for a while", () => {
  test.each<[string, Fate, boolean]>([
    ["connections that break before the request is there", "drop", false],
    ["connections that break when the profiles are stored", "lose", false],
    ["the same, and the profiles have no time", "lose", true],
    ["a proxy that says that the server is not there", "busy", false],
  ])("%s: every profile is stored once", async (_, fate, timeless) => {
    const name = `while-${fate}-${timeless}`;
    writeFiles(name, 200, { timeless });
    await using proxy = await runProxy(
      () => server.url,
      (nth) => (nth > 0 && nth < 4 ? fate : "pass"),
    );
    const result = await push(name, proxy.url, ["--parallel", "2"]);
    expect(result.code).toBe(0);
    expect(new Set(lines(result.stdout)).size).toBe(200);
    expect(carried(proxy, fate)).toBeGreaterThan(0);
    expect((await listProfiles(server.url, `{service="${name}"}`)).length).toBe(200);
  });
});

describe("a server that dies in the middle of a push", () => {
  test("what was acknowledged is told, the rest is named, and the same command sends the rest", async () => {
    writeFiles("dies", 300);
    const data = join(folder, "dies", "data");
    let serve = await runServe(data);
    await using proxy = await runProxy(
      () => serve.url,
      async (nth): Promise<Fate> => {
        if (nth !== 4) return "pass";
        serve.child.kill("SIGKILL");
        await serve.ended;
        return "pass";
      },
    );
    const first = await push("dies", proxy.url, ["--parallel", "2", "--retry-for", "1s", "--json"]);
    expect(first.code).toBe(EXIT.unavailable);
    const report = JSON.parse(first.stdout.toString());
    const { stored, unsent } = report.counts;
    expect([stored + unsent, stored > 0, unsent > 0]).toEqual([300, true, true]);
    expect(report.stopped).toMatchObject({ kind: "unavailable", message: expect.stringContaining("Cannot reach") });
    expect(lines(first.stderr).slice(-3)).toEqual([
      `profusion: … and ${unsent - 20} more were not sent; --json names all of them`,
      "profusion: the same command goes on from here",
      `${stored} of 300 are stored`,
    ]);
    const sentBefore = proxy.requests.length;

    serve = await runServe(data);
    const second = await push("dies", proxy.url, ["--parallel", "2"]);
    expect(second.code).toBe(0);
    expect(second.stderr).toContain(`${stored} were acknowledged before and not sent again`);
    expect(new Set(lines(second.stdout)).size).toBe(300);
    const again = { ...proxy, requests: proxy.requests.slice(sentBefore) };
    expect(carried(again, "pass")).toBe(unsent);
    expect((await listProfiles(serve.url, '{service="dies"}')).length).toBe(300);
    expect(journals("dies")).toEqual([]);
    await serve[Symbol.asyncDispose]();
  });

  test("a file that has changed since is sent again, and --no-resume sends all", async () => {
    writeFiles("changed", 40);
    let fate: Fate = "pass";
    await using proxy = await runProxy(
      () => server.url,
      (nth) => (nth === 0 ? "pass" : fate),
    );
    fate = "drop";
    const failed = await push("changed", proxy.url, ["--parallel", "1", "--retry-for", "0s"]);
    expect(failed.code).toBe(EXIT.unavailable);
    expect(lines(failed.stdout).length).toBe(32);
    writeFileSync(
      join(folder, "changed/files/0000"),
      buildGzip({ timeNs: START_NS, samples: [{ stack: ["changed"], values: [1, 1] }] }),
    );
    fate = "pass";
    const resumed = await push("changed", proxy.url, ["--dry-run"]);
    expect(lines(resumed.stdout).length).toBe(40);
    expect(resumed.stderr).toContain("31 were acknowledged before");
    const all = await push("changed", proxy.url, ["--no-resume"]);
    expect(all.stderr).toContain("31 of 40 were there already");
  });

  test("another server, service or label is another push", async () => {
    writeFiles("other", 40);
    let fate: Fate = "drop";
    await using proxy = await runProxy(
      () => server.url,
      (nth) => (nth === 0 ? "pass" : fate),
    );
    await push("other", proxy.url, ["--parallel", "1", "--retry-for", "0s"]);
    fate = "pass";
    const labelled = await push("other", proxy.url, ["--label", "a=b"]);
    expect(labelled).toMatchObject({ code: 0, stderr: "" });
    expect((await listProfiles(server.url, '{service="other",a="b"}')).length).toBe(40);
  });
});

test("a push that is killed goes on where it was", async () => {
  writeFiles("killed", 200);
  let child: ChildProcess | undefined;
  await using proxy = await runProxy(
    () => server.url,
    (nth) => {
      if (nth !== 3) return "pass";
      child!.kill("SIGKILL");
      return "drop";
    },
  );
  const started = (each: ChildProcess) => {
    child = each;
  };
  const killed = await push("killed", proxy.url, ["--parallel", "1"], { started });
  expect([killed.code, lines(killed.stdout).length]).toEqual([null, 96]);
  const second = await push("killed", proxy.url);
  expect(second).toMatchObject({ code: 0, stderr: expect.stringContaining("96 were acknowledged before") });
  expect(carried(proxy, "pass")).toBe(200);
  expect((await listProfiles(server.url, '{service="killed"}')).length).toBe(200);
});

test("where nothing can be kept the push goes on, and says so when it matters", async () => {
  writeFiles("unkept", 40);
  const state = "/dev/null/state";
  await using proxy = await runProxy(
    () => server.url,
    (nth) => (nth === 1 ? "drop" : "pass"),
  );
  const failed = await push("unkept", proxy.url, ["--parallel", "1", "--retry-for", "0s"], { state });
  expect(failed.code).toBe(EXIT.unavailable);
  expect(failed.stderr).toMatch(
    /the same command sends all of it again, without harm: .* could not be kept: not a directory \(ENOTDIR\)$/m,
  );
  const again = await push("unkept", proxy.url, [], { state });
  expect(again).toMatchObject({ code: 0, stderr: "32 of 40 were there already\n" });
});

describe("what waiting does not help", () => {
  test("a server that was never there is told at once, in one line", async () => {
    writeFiles("absent", 3);
    const result = await push("absent", "http://127.0.0.1:9", ["--retry-for", "1h"]);
    expect(result.code).toBe(EXIT.unavailable);
    expect(lines(result.stderr)[0]).toMatch(/Cannot reach http:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\)/);
  });

  test("what is no Profusion server ends the push at the first answer", async () => {
    writeFiles("stranger", 3);
    let requests = 0;
    const stranger = createServer((_, response) => {
      requests++;
      response.writeHead(404).end("nothing here");
    });
    stranger.listen(0, "127.0.0.1");
    await once(stranger, "listening");
    const { port } = stranger.address() as AddressInfo;
    const result = await push("stranger", `http://127.0.0.1:${port}`, ["--parallel", "1", "--retry-for", "1h"]);
    stranger.close();
    expect([result.code, requests]).toEqual([EXIT.unavailable, 1]);
    expect(lines(result.stderr)[0]).toContain("does not answer as a Profusion server");
  });

  test("a server whose disk is full takes nothing, and the push says why it ended", async () => {
    await using full = await runServer({ diskReserveMinBytes: 2 ** 50, diskReserveMaxBytes: 2 ** 50 });
    writeFiles("full", 3);
    const result = await push("full", full.url, ["--retry-for", "0s"]);
    expect(result.code).toBe(EXIT.unavailable);
    expect(lines(result.stderr)[0]).toMatch(/^profusion: Cannot .*disk/);
    expect(lines(result.stderr).at(-1)).toBe("0 of 3 are stored");
  });

  test("a server that takes smaller batches gets the profiles one by one", async () => {
    await using small = await runServer({ batchProfiles: 10 });
    writeFiles("batches", 100);
    const result = await push("batches", small.url);
    expect(result.code).toBe(0);
    expect(lines(result.stdout).length).toBe(100);
  });

  test("a profile that is too large for the server is refused alone", async () => {
    await using small = await runServer({ bodyBytes: 2000 });
    writeFiles("large", 40);
    const noise = Array.from({ length: 400 }, (_, at) => ({ stack: [`${at * 7919}${at ** 3}`], values: [1, at] }));
    writeFileSync(join(folder, "large/files/0010"), buildGzip({ timeNs: START_NS, samples: noise }));
    const result = await push("large", small.url);
    expect(result.code).toBe(EXIT.partial);
    expect(lines(result.stdout).length).toBe(39);
    expect(lines(result.stderr)[0]).toMatch(/files\/0010: Cannot .*2000 bytes/);
  });
});

test("SIGINT ends the push: what was acknowledged is told, and the process ends as by the signal", async () => {
  writeFiles("interrupted", 200);
  let child: ChildProcess | undefined;
  await using proxy = await runProxy(
    () => server.url,
    (nth) => {
      if (nth < 2) return "pass";
      child!.kill("SIGINT");
      return "drop";
    },
  );
  const result = await push("interrupted", proxy.url, ["--parallel", "1"], {
    started: (each) => {
      child = each;
    },
  });
  expect(result.code).toBe(null);
  expect(lines(result.stdout).length).toBe(64);
  expect(result.stderr).toContain("profusion: Interrupted by SIGINT\n");
  expect(lines(result.stderr).slice(-2)).toEqual([
    "profusion: the same command goes on from here",
    "64 of 200 are stored",
  ]);
  expect(journals("interrupted").length).toBe(1);
});
