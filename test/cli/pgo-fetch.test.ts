// `profusion pgo fetch` as builds meet it: whatever is wrong, the file that is there stays, nothing is left beside it, and the build goes on.

import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cpuProfile, pushCpu } from "../support/pgo-service.ts";
import { buildGzip } from "../support/profile-builder.ts";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const OLD = gzipSync("what was there before");

let server: ServerForTest;
let folder: string;
let output: string;
beforeAll(async () => {
  server = await runServer();
  await pushCpu(server.url, "auth", cpuProfile(2000), "instance=a,version=1.1");
  await pushCpu(server.url, "auth", cpuProfile(1500), "instance=b,version=1.0");
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-fetch-"));
  output = join(folder, "default.pgo");
});
afterEach(() => rmSync(folder, { recursive: true }));

const fetchFrom = (url: string, ...args: string[]) =>
  runCli(["pgo", "fetch", "-o", output, ...args], { env: { PROFUSION_SERVER: url } });
const fetchAuth = (...args: string[]) => fetchFrom(server.url, "--service", "auth", ...args);

describe("the file", () => {
  test("is what the server serves, with the verdict in one line", async () => {
    const { code, stdout, stderr } = await fetchAuth();
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.toString()).toMatch(
      new RegExp(`^${output}: usable, 2 profiles of \\S+Z to \\S+:00:00Z, versions 1\\.1=0\\.57, 1\\.0=0\\.43\\n$`),
    );
    const served = await fetch(`${server.url}/api/0/pgo/auth`);
    expect(readFileSync(output).equals(Buffer.from(await served.arrayBuffer()))).toBe(true);
    expect(readdirSync(folder)).toEqual(["default.pgo"]);
  });

  test("is not written again where it is the same, however it is packed: make would take it for new", async () => {
    await fetchAuth();
    writeFileSync(output, gunzipSync(readFileSync(output)));
    const before = statSync(output);
    const { stdout } = await fetchAuth();
    expect(stdout.toString()).toContain("usable, the same as before");
    const after = statSync(output);
    expect([after.mtimeMs, after.ino]).toEqual([before.mtimeMs, before.ino]);
  });

  test("says nothing with --quiet, and all with --json", async () => {
    expect(await fetchAuth("--quiet")).toMatchObject({ code: 0, stdout: Buffer.from(""), stderr: "" });
    const { stdout } = await fetchAuth("--json");
    expect(JSON.parse(stdout.toString())).toEqual({
      file: output,
      state: "kept",
      verdict: "usable",
      window: expect.stringMatching(/Z\/.*:00:00Z$/),
      merged: 2,
      versions: "1.1=0.57, 1.0=0.43",
      error: null,
    });
  });

  test("is narrowed, pinned to a release, and taken only where it is good enough", async () => {
    expect((await fetchAuth("--selector", '{version="1.0"}')).stdout.toString()).toContain("1 profiles");
    const narrowed = readFileSync(output);
    const publish = ["pgo", "publish", "--service", "auth", "--name", "first", "--channel", "stable"];
    expect((await runCli(publish, { env: { PROFUSION_SERVER: server.url } })).code).toBe(0);
    await fetchFrom(server.url, "--pin", "auth@stable");
    const pinned = readFileSync(output);
    expect(pinned.equals(narrowed)).toBe(false);
    const refused = await fetchAuth("--require", "good");
    expect([refused.code, refused.stderr]).toEqual([0, expect.stringContaining("The PGO profile is usable")]);
    expect((await fetchAuth("--require", "good", "--strict")).code).toBe(4);
    expect((await fetchAuth("--require", "usable", "--strict")).code).toBe(0);
    await pushCpu(server.url, "auth", cpuProfile(900, "main.other"), "instance=c");
    expect((await fetchAuth("--release", "first")).stdout.toString()).toMatch(/usable, .*release first/);
    expect(readFileSync(output).equals(pinned)).toBe(true);
    expect((await fetchAuth("--release", "first", "--require", "good", "--strict")).code).toBe(4);
  });
});

interface Origin extends AsyncDisposable {
  url: string;
}

async function runOrigin(listener: RequestListener): Promise<Origin> {
  const origin = createServer(listener).listen(0, "127.0.0.1");
  await once(origin, "listening");
  return {
    url: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      origin.closeAllConnections();
      origin.close();
      await once(origin, "close");
    },
  };
}

const answering =
  (status: number, body: string | Uint8Array): RequestListener =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/octet-stream" }).end(body);
  };
const HEAP = buildGzip({
  sampleTypes: [["inuse_space", "bytes"]],
  periodType: ["space", "bytes"],
  samples: [{ stack: ["main"], values: [5] }],
});

/** What the server does, what is said of it, and the exit code with --strict. */
const FAILURES: [what: string, listener: RequestListener, message: string, strict: number][] = [
  ["has no profile", answering(404, ""), "answers 404", 3],
  ["fails", answering(500, "internal error"), "answers 500", 6],
  ["is starting", answering(503, ""), "answers 503", 6],
  ["forbids it", answering(403, ""), "answers 403", 7],
  [
    "is another one",
    answering(200, "<html><body>Sign in</body></html>"),
    'it is text, not a profile, and begins with "<html>',
    6,
  ],
  ["answers nothing", answering(200, ""), "It is empty", 6],
  ["answers with a heap profile", answering(200, HEAP), "so it is no CPU profile", 6],
  ["answers with half of a file", answering(200, cpuProfile(9).subarray(0, 90)), "answers with what is no use", 6],
  [
    "breaks off",
    (_, response) => {
      response.writeHead(200, { "content-length": "100000" }).write(cpuProfile(9));
      setImmediate(() => response.destroy());
    },
    "Cannot fetch from",
    6,
  ],
  ["hangs up", (request) => void request.socket.destroy(), "Cannot fetch from", 6],
  ["never answers", () => {}, "it has not answered within 0.3 s", 6],
  [
    "stops in the middle",
    (_, response) => void response.writeHead(200, { "content-length": "100000" }).write(cpuProfile(9)),
    "it has not answered within 0.3 s",
    6,
  ],
];

describe.each(FAILURES)("where the server %s", (_, listener, message, strict) => {
  const patience = message.includes("not answered") ? ["--timeout", "300ms"] : [];
  const args = ["--service", "auth", ...patience];

  test("the file stays, nothing is beside it, the reason is one line, and the build goes on", async () => {
    await using origin = await runOrigin(listener);
    const absent = await fetchFrom(origin.url, ...args);
    expect([absent.code, readdirSync(folder)]).toEqual([0, []]);
    expect(absent.stderr).toMatch(/^profusion: .*; there is no \S+, and the build goes on\n$/);
    writeFileSync(output, OLD);
    const { code, stdout, stderr } = await fetchFrom(origin.url, ...args);
    expect([code, stdout.toString()]).toEqual([0, ""]);
    expect(stderr).toMatch(/^profusion: .*; \S+ is as it was, and the build goes on\n$/);
    expect(stderr).toContain(message);
    expect(readFileSync(output).equals(OLD)).toBe(true);
    expect(readdirSync(folder)).toEqual(["default.pgo"]);
  });

  test("--strict makes it a failure of its kind, and the file stays all the same", async () => {
    await using origin = await runOrigin(listener);
    const { code, stderr } = await fetchFrom(origin.url, ...args, "--strict");
    expect([code, stderr]).toEqual([strict, expect.stringContaining(message)]);
    expect(readdirSync(folder)).toEqual([]);
  });
});

test("where there is no server the file stays, and the build goes on", async () => {
  await using origin = await runOrigin(() => {});
  const { url } = origin;
  await origin[Symbol.asyncDispose]();
  writeFileSync(output, OLD);
  const { code, stderr } = await fetchFrom(url, "--service", "auth");
  expect([code, stderr]).toEqual([0, expect.stringMatching(/Cannot fetch from .*: ECONNREFUSED; .* is as it was/)]);
  expect(readFileSync(output).equals(OLD)).toBe(true);
});

test("the key goes with the question, and the digest of what is there", async () => {
  const asked: (string | undefined)[] = [];
  await using origin = await runOrigin(({ url, headers }, response) => {
    asked.push(url, headers.authorization, headers["if-none-match"]);
    response.writeHead(304, { "profusion-verdict": "good" }).end();
  });
  writeFileSync(output, OLD);
  const { stdout } = await fetchFrom(origin.url, "--pin", "größe/a@stable", "--key", "k1", "--require", "good");
  expect(stdout.toString()).toContain("good, the same as before");
  const digest = hash("sha256", gunzipSync(OLD));
  expect(asked).toEqual(["/api/0/pgo/gr%C3%B6%C3%9Fe%2Fa?release=stable&require=good", "Bearer k1", `"${digest}"`]);
});

test("the server's reason for having nothing is told", async () => {
  const { code, stderr } = await fetchFrom(server.url, "--service", "nobody");
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^profusion: No profile .*; there is no /)]);
  const policy = await fetchAuth("--policy", "none", "--strict");
  expect([policy.code, policy.stderr]).toEqual([3, expect.stringContaining('has no policy "none"')]);
});

describe("where the file cannot be written", () => {
  test("since its folder is not there, the build goes on", async () => {
    output = join(folder, "absent", "default.pgo");
    const { code, stderr } = await fetchAuth();
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining(`Cannot write ${output}: no such file or directory (ENOENT)`),
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("since it is a folder, the build goes on", async () => {
    mkdirSync(output);
    const { code, stderr } = await fetchAuth();
    expect([code, stderr]).toEqual([0, expect.stringContaining(`Cannot write ${output}`)]);
    expect(readdirSync(folder)).toEqual(["default.pgo"]);
  });

  // As a full disk does, but without one: a file may not grow at all.
  test.runIf(process.platform !== "win32")(
    "since the disk takes no more, the old one stays and no part of a new one",
    async () => {
      writeFileSync(output, OLD);
      const command = [process.execPath, MAIN, "pgo", "fetch", "--service", "auth", "-o", output];
      const { stderr } = await promisify(execFile)("sh", ["-c", 'ulimit -f 0; exec "$@"', "sh", ...command], {
        env: { ...process.env, PROFUSION_SERVER: server.url, NODE_DISABLE_COMPILE_CACHE: "1" },
      });
      expect(stderr).toMatch(/Cannot write \S+: file too large \(EFBIG\); .* is as it was/);
      expect(readFileSync(output).equals(OLD)).toBe(true);
      expect(readdirSync(folder)).toEqual(["default.pgo"]);
    },
  );
});

describe("what is typed wrongly is told as such", () => {
  test.each([
    [["--service", "auth", "--pin", "auth@stable"], "Cannot take --pin together with --service"],
    [["--pin", "stable"], "write SERVICE@NAME"],
    [[], "Cannot fetch without a service"],
    [["--service", "auth", "--selector", "cpu{"], "Cannot read selector"],
    [["--service", "auth", "--until-now", "--last", "1h"], "Cannot take --until-now together with a window"],
    [["--service", "auth", "--timeout", "soon"], "soon"],
    [["--pin", "auth@stable", "--policy", "canary"], "Cannot take a release together with a policy"],
    [["--service", "auth", "--server", "auth:80"], "Cannot use server"],
  ])("%j, and with --strict exits with 2", async (args, message) => {
    const lax = await fetchFrom(server.url, ...args);
    expect([lax.code, lax.stderr]).toEqual([0, expect.stringContaining(message)]);
    expect(await fetchFrom(server.url, ...args, "--strict")).toMatchObject({ code: 2 });
    expect(existsSync(output)).toBe(false);
  });
});
