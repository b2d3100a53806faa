// `serve` as a process: how it starts, what it says where it cannot, how it stops.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit-code.ts";
import { runCli, runServe } from "../support/run-cli.ts";
import { CERTIFICATE, TLS_FILES } from "../support/test-certificate.ts";

const CPU = readFileSync(new URL("../testdata/recorded/go-cpu-1.pb.gz", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-serve-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const push = (url: string, service: string) =>
  fetch(`${url}/api/0/profiles?service=${service}&type=cpu`, { method: "POST", body: CPU });

describe("profusion serve", () => {
  test("makes its folder, serves, and has everything again after it was stopped and started", async () => {
    const data = join(folder, "a", "data");
    let id: string;
    {
      await using server = await runServe(data);
      const created = await push(server.url, "kept");
      id = ((await created.json()) as { body: { id: string } }).body.id;
      server.child.kill("SIGTERM");
      expect(await server.ended).toBe(0);
      expect(server.log.at(-1)).toMatchObject({ msg: "stopped" });
    }
    await using server = await runServe(data);
    const bytes = await fetch(`${server.url}/api/0/profiles/${id}`);
    expect(Buffer.from(await bytes.arrayBuffer()).equals(CPU)).toBe(true);
    server.child.kill("SIGINT");
    expect(await server.ended).toBe(0);
  });

  test("takes its settings from the environment, and the option before that", async () => {
    const env = {
      PROFUSION_DATA: join(folder, "unused"),
      PROFUSION_LOG_LEVEL: "info",
      PROFUSION_LIMIT_BODY_BYTES: "100",
    };
    await using server = await runServe(join(folder, "used"), ["--limit", "serviceBytes=3"], env);
    expect([existsSync(join(folder, "used")), existsSync(join(folder, "unused"))]).toEqual([true, false]);
    expect((await push(server.url, "abc")).status).toBe(413);
    expect((await push(server.url, "abcd")).status).toBe(400);
  });

  test("listens on every address it is given", async () => {
    await using server = await runServe(folder, ["--listen", "127.0.0.1:0"]);
    const { addresses } = server.log.find(({ msg }) => msg === "serving") as { addresses: { port: number }[] };
    expect(addresses.length).toBe(2);
    for (const { port } of addresses) expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  });

  test("answers TLS beside cleartext on every address, with files from options or the environment", async () => {
    const options = ["--listen", "127.0.0.1:0", "--tls-cert", TLS_FILES.certificate];
    await using server = await runServe(folder, options, { PROFUSION_TLS_KEY: TLS_FILES.key });
    const serving = server.log.find(({ msg }) => msg === "serving") as { addresses: { port: number }[]; tls: boolean };
    expect([serving.addresses.length, serving.tls]).toEqual([2, true]);
    for (const { port } of serving.addresses) {
      const [answer] = await once(get(`https://127.0.0.1:${port}/healthz`, { ca: CERTIFICATE }), "response");
      expect(answer.statusCode).toBe(200);
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    }
    const file = fileURLToPath(new URL("../testdata/recorded/go-cpu-1.pb.gz", import.meta.url));
    const pushing = ["push", "--server", server.url.replace("http", "https"), "--service", "tls", file];
    expect((await runCli(pushing, { env: { NODE_EXTRA_CA_CERTS: TLS_FILES.certificate } })).code).toBe(0);
    const untrusting = await runCli(pushing);
    expect([untrusting.code, untrusting.stderr]).toEqual([
      EXIT.unavailable,
      expect.stringContaining("its certificate is not trusted"),
    ]);
  });

  test("serves on while nobody reads its log", async () => {
    await using server = await runServe(folder);
    server.child.stdout!.pause();
    const path = "a".repeat(150);
    // 400 KB of lines: more than the pipe and both ends of it hold.
    for (let round = 0; round < 60; round++) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${server.url}/${path}`)));
      for (const answer of answers) expect((await answer.text()).trim()).toBe("404 page not found");
    }
    server.child.stdout!.resume();
    server.child.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(server.log.filter(({ msg }) => msg === "request").length).toBe(60 * 20);
    expect(server.log.at(-1)).toMatchObject({ msg: "stopped" });
  });

  test("stops at once at the second signal, whatever is still under way", async () => {
    await using server = await runServe(folder);
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.on("error", () => {});
    const head = "POST /api/0/profiles?service=a&type=cpu HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n";
    socket.write(`${head}Expect: 100-continue\r\n\r\n`);
    await once(socket, "data"); // the request is being answered
    server.child.kill("SIGTERM");
    await until(() => server.log.some(({ msg }) => msg === "stopping"), server.child.stdout!);
    expect(server.child.exitCode).toBeNull();
    server.child.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(server.log.some(({ msg }) => msg === "stopping at once")).toBe(true);
    socket.destroy();
  });
});

/** Looks again with every piece of output. */
async function until(holds: () => boolean, output: NodeJS.ReadableStream): Promise<void> {
  while (!holds()) await once(output, "data");
}

describe("profusion serve says in one line, without a stack trace,", () => {
  const refusal = async (...args: string[]) => {
    const { code, stderr } = await runCli(["serve", ...args]);
    expect([2, 6]).toContain(code);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
    return stderr;
  };

  test("that the port is taken", async () => {
    await using server = await runServe(join(folder, "one"));
    const taken = new URL(server.url).host;
    expect(await refusal("--listen", taken, "--data", join(folder, "two"))).toContain(`Cannot listen on ${taken}`);
  });

  test("which process has the folder", async () => {
    await using server = await runServe(folder);
    const said = await refusal("--listen", "127.0.0.1:0", "--data", folder);
    expect(said).toContain(`Cannot open the data folder ${folder}: process ${server.child.pid} has it open`);
  });

  test("that the folder cannot be made", async () => {
    writeFileSync(join(folder, "file"), "");
    for (const data of [join(folder, "file"), join(folder, "file", "data")]) {
      const said = await refusal("--data", data);
      expect(said).toMatch(/Cannot use the data folder \S+: E\w+: [a-z ]+; there is a file where the folder should be/);
    }
  });

  test.each(["segments", "objects"])("that a file is in the place of its %s", async (name) => {
    writeFileSync(join(folder, name), "");
    expect(await refusal("--listen", "127.0.0.1:0", "--data", folder)).toContain(
      `Cannot use the data folder ${folder}: `,
    );
  });

  test.each([
    [["--listen", "nowhere"], "write HOST:PORT"],
    [["--limit", "bodyBytes=much"], "whole number"],
    [["--log-level", "loud"], "--log-level: Cannot set log_level"],
    [["--tls-cert", TLS_FILES.certificate], "Cannot answer TLS with tls_cert alone"],
    [["--tls-key", TLS_FILES.key], "Cannot answer TLS with tls_key alone"],
    [["--tls-cert", "absent.pem", "--tls-key", TLS_FILES.key], 'Cannot use the TLS certificate "absent.pem": ENOENT'],
  ])("what is wrong with %j", async (args, message) => {
    expect(await refusal(...args, "--data", folder)).toContain(message);
  });
});

test("a fault of the program ends it with one line, and its log has the stack trace", async () => {
  const planted = 'process.on("SIGUSR2", () => { throw new Error("planted"); })';
  const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(planted)}`;
  await using server = await runServe(folder, [], { NODE_OPTIONS });
  server.child.kill("SIGUSR2");
  expect(await server.ended).toBe(1);
  const { err, level } = server.log.at(-1) as { err: { stack: string }; level: number };
  expect([level, err.stack]).toEqual([60, expect.stringMatching(/^Error: planted\n\s+at /)]);
});

test("an unknown verb or option is an error with a hint", async () => {
  for (const args of [["fly"], ["serve", "--fly"]]) {
    const { code, stderr } = await runCli(args);
    expect(code).toBe(2);
    expect(stderr).toContain("--help says what there is");
  }
});

test("on a Node that is too old the command says what to do", async () => {
  const command = fileURLToPath(new URL("../../src/cli/profusion.js", import.meta.url));
  const pretend = 'data:text/javascript,Object.defineProperty(process, "version", { value: "v22.12.0" })';
  const child = spawn(process.execPath, ["--import", pretend, command, "--version"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
  expect(code).toBe(1);
  expect(said).toMatch(/^profusion: needs Node 24 or newer, and this is v22\.12\.0\./);
});

test("the installed command is the program", async () => {
  const command = fileURLToPath(new URL("../../src/cli/profusion.js", import.meta.url));
  const child = spawn(process.execPath, [command, "--version"], { stdio: ["ignore", "pipe", "inherit"] });
  expect(await text(child.stdout)).toMatch(/^\d+\.\d+\.\d+\n$/);
});
