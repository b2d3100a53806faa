// autopgo's clients in Go's net/http against a running server: what they send, what they take for success, and the pipeline of
// examples/autopgo as it is written there. Needs Go.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeBlocks } from "../support/code-blocks.ts";
import { buildGo } from "../support/oracle.ts";
import { cpuProfile, pushCpu } from "../support/pgo-service.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const EXAMPLE = join(ROOT, "examples/autopgo");
const RECORDED = join(ROOT, "test/testdata/recorded");

let folder: string;
let senders: string;
let server: ServerForTest;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-autopgo-"));
  senders = buildGo("senders");
  server = await runServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Of its command line: what it printed, or the one line with which it failed. */
async function autopgo(verb: string, ...args: string[]): Promise<string> {
  return ask(server.url, verb, ...args);
}

async function ask(url: string, verb: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(senders, ["autopgo", verb, "-u", url, ...args], { cwd: folder });
    return stdout;
  } catch (error) {
    return `failed: ${(error as { stderr: string }).stderr.trim()}`;
  }
}

const listed = async () => (await autopgo("list")).split("\n").filter(Boolean);
const recorded = (name: string) => join(RECORDED, `${name}.pb.gz`);

test("an upload is chunked, without a type, under the path of the API alone, with user and query of the URL", async () => {
  const { promise, resolve } = Promise.withResolvers<{ request: IncomingMessage; body: Buffer }>();
  const recorder = createServer((request, response) => {
    buffer(request).then((body) => {
      resolve({ request, body });
      response.writeHead(201, { "content-type": "application/json" }).end('{"key":"a/staging/1"}\n');
    });
  }).listen(0, "127.0.0.1");
  await once(recorder, "listening");
  const { port } = recorder.address() as AddressInfo;
  const url = `http://user:secret@127.0.0.1:${port}/some/prefix?token=abc`;
  expect(await ask(url, "upload", "-a", "hello-world", recorded("go-cpu-1"))).toBe("");
  const { request, body } = await promise;
  recorder.close();
  expect([request.method, request.url]).toEqual(["POST", "/api/profile/hello-world?token=abc"]);
  expect(request.headers).toEqual({
    host: `127.0.0.1:${port}`,
    "user-agent": "Go-http-client/1.1",
    "transfer-encoding": "chunked",
    authorization: `Basic ${Buffer.from("user:secret").toString("base64")}`,
    "accept-encoding": "gzip",
  });
  expect(body.equals(readFileSync(recorded("go-cpu-1")))).toBe(true);
});

test("upload, download, list, delete and clean succeed as there, and what others sent survives clean", async () => {
  const { host } = new URL(server.url);
  await pushCpu(server.url, "web", cpuProfile(500));
  await pushCpu(server.url, "other", cpuProfile(500));
  expect(await autopgo("list")).toBe("");
  expect(await ask(`http://user:secret@${host}/prefix?token=abc`, "upload", "-a", "web", recorded("go-cpu-1"))).toBe(
    "",
  );
  expect(await autopgo("upload", "-a", "web", recorded("go-cpu-2"))).toBe("");
  expect(await autopgo("upload", "-a", "api", recorded("go-cpu-3"))).toBe("");
  expect(await listed()).toEqual([
    expect.stringMatching(/^api \d+ \d{4}-\d\d-\d\dT[\d:.]+Z$/),
    expect.stringMatching(/^web \d+ \d{4}-\d\d-\d\dT[\d:.]+Z$/),
  ]);

  const output = join(folder, "web.pgo");
  expect(await autopgo("download", "-o", output, "web")).toBe("");
  const { stdout } = await promisify(execFile)("go", ["tool", "pprof", "-top", output], {
    env: { ...process.env, PPROF_TMPDIR: folder },
  });
  expect(stdout).toContain("Type: cpu");

  expect(await autopgo("delete", "api")).toBe("");
  expect(await autopgo("delete", "api")).toBe("failed: Not Found (404)");
  expect(await autopgo("clean", "--larger-than", "100000000", "--older-than", "1000h")).toBe("");
  expect(await autopgo("clean", "--larger-than", "1000")).toBe("Deleted profile 'web'\n");
  expect(await listed()).toEqual([]);
  for (const service of ["web", "other"]) {
    expect((await fetch(`${server.url}/api/0/pgo/${service}`)).status).toBe(200);
  }
});

test("what is refused is told in autopgo's words", async () => {
  expect(await autopgo("upload", "-a", "web", recorded("go-heap-1"))).toMatch(
    /^failed: Cannot take a profile with the columns alloc_objects\/count, .*: a CPU profile has .*\(400\)$/,
  );
  const garbage = join(folder, "garbage");
  writeFileSync(garbage, "garbage");
  expect(await autopgo("upload", "-a", "web", garbage)).toMatch(/^failed: This is no profile: .*\(400\)$/);
  expect(await autopgo("upload", "-a", "Foo_1", garbage)).toBe("failed: invalid app name (400)");
  expect(await autopgo("download", "-o", join(folder, "none.pgo"), "none")).toBe("failed: Not Found (404)");
  expect(statSync(join(folder, "none.pgo")).size).toBe(0);
});

test("the pipeline of examples/autopgo: serve, scrape, build with what came of it, clean up", async () => {
  const [serve, service, scrape, build, housekeeping] = codeBlocks(readFileSync(join(EXAMPLE, "README.md"), "utf8"));
  const example = join(folder, "example");
  cpSync(EXAMPLE, example, { recursive: true });
  mkdirSync(join(folder, "bin"));
  const commands = {
    profusion: `'${process.execPath}' '${join(ROOT, "src/cli/main.ts")}'`,
    autopgo: `'${senders}' autopgo`,
  };
  for (const [name, command] of Object.entries(commands)) {
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  }
  const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env.PATH}` };
  const started: ChildProcess[] = [];
  /** In a group of its own: the shell is not the only process of a block. */
  const start = (script: string) => {
    const child = spawn("sh", ["-ec", script], {
      cwd: example,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    started.push(child);
    return createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  };
  try {
    const log = start(serve!.code.replace("127.0.0.1:8080", "127.0.0.1:0"));
    const { addresses } = (await entry(log, ({ msg }) => msg === "serving")) as { addresses: { port: number }[] };
    const url = `http://127.0.0.1:${addresses[0]!.port}`;
    const { value: address } = await start(service!.code.replace(":6060", ":0")).next();
    const targets = join(example, "targets.json");
    writeFileSync(targets, readFileSync(targets, "utf8").replace("127.0.0.1:6060", String(address)));
    start(scrape!.code.replaceAll("http://127.0.0.1:8080", url));

    const run = (code: string) =>
      promisify(execFile)("sh", ["-ec", code.replaceAll("http://127.0.0.1:8080", url)], { cwd: example, env });
    const built = async () => {
      await run(build!.code);
      const { stdout } = await promisify(execFile)("go", ["version", "-m", "hello-world"], {
        cwd: join(example, "hello-world"),
      });
      return stdout;
    };
    expect(await built()).not.toContain("default.pgo");
    do await entry(log, ({ path, status }) => path === "/api/profile/hello-world" && status === 201);
    while (!(await built()).includes("default.pgo"));

    const { stdout } = await run(housekeeping!.code);
    expect(stdout).toMatch(/^hello-world +\d+ /m);
  } finally {
    for (const { pid } of started.reverse()) process.kill(-pid!, "SIGKILL");
    await Promise.all(started.map((child) => child.exitCode ?? child.signalCode ?? once(child, "close")));
  }
});

/** The next one of a server's log that fits. */
async function entry(
  log: AsyncIterator<string>,
  fits: (entry: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  for (;;) {
    const { value, done } = await log.next();
    if (done) throw new Error("the server ended");
    const read = JSON.parse(value) as Record<string, unknown>;
    if (fits(read)) return read;
  }
}
