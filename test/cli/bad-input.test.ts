// What people do wrong at the command line, and what terminals and pipes do to them: one line, an exit code by kind, never a stack trace.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { fileURLToPath } from "node:url";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import { buildProfile } from "../support/profile-builder.ts";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const MANY = 10_000;
const BATCH = 1_000;

let server: ServerForTest;
beforeAll(async () => {
  server = await runServer();
  const profileBytes = buildProfile({ samples: [{ stack: ["main"], values: [1, 10] }] });
  const transport = createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" });
  const { batchCreateProfiles } = createClient(ProfileService, transport);
  const beganMs = Date.now() - MANY * 1000;
  for (let first = 0; first < MANY; first += BATCH) {
    const requests = Array.from({ length: BATCH }, (_, at) => {
      const startTime = timestampFromMs(beganMs + (first + at) * 1000);
      const labels = [{ name: "pod", value: `pod-${at}` }];
      return { metadata: { service: "größe", profileType: "cpu", labels, startTime }, profileBytes };
    });
    const { results } = await batchCreateProfiles({ requests });
    expect(results.every(({ outcome }) => outcome.case === "created")).toBe(true);
  }
});
afterAll(() => server[Symbol.asyncDispose]());

const cli = (args: string[], env: Record<string, string> = {}) =>
  runCli(args, { env: { PROFUSION_SERVER: server.url, TZ: "UTC", ...env } });

/** stderr is one line, or what `more` lines it may have below; no place in the code is named. */
function expectCalm(stderr: string, lines = 1): void {
  expect(stderr.trimEnd().split("\n").length, stderr).toBe(lines);
  expect(stderr).not.toMatch(/^\s+at |\.ts:\d|node:internal/m);
}

describe(`${MANY} rows`, () => {
  test("come whole, page by page, as a table, as ids and as JSON", async () => {
    const table = (await cli(["list", "--all"])).stdout.toString().trimEnd().split("\n");
    expect(table.length).toBe(MANY + 1);
    const ids = (await cli(["list", "--all", "-q"])).stdout.toString().trimEnd().split("\n");
    expect(new Set(ids).size).toBe(MANY);
    const { profiles, more } = JSON.parse((await cli(["list", "--limit", "9999", "--json"])).stdout.toString());
    expect([profiles.length, more]).toEqual([MANY - 1, true]);
  });

  test.each([["list", "--all"], ["list", "--all", "--json"], ["labels", "pod"], ["--help"]])(
    "whose reader leaves after the first line end %j quietly, with 0",
    async (...args) => {
      const child = spawn(process.execPath, [MAIN, ...args], {
        env: { ...process.env, PROFUSION_SERVER: server.url },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const ended = once(child, "close");
      let stderr = "";
      child.stderr.on("data", (chunk) => {
        stderr += chunk;
      });
      await once(child.stdout, "data");
      child.stdout.destroy();
      expect([...(await ended), stderr]).toEqual([0, null, ""]);
    },
  );

  test.runIf(process.platform === "linux")("that do not fit on the disk are an error in one line", async () => {
    const child = spawn(process.execPath, [MAIN, "list", "--all"], {
      env: { ...process.env, PROFUSION_SERVER: server.url },
      stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
    });
    let stderr = "";
    child.stderr!.on("data", (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(child, "close");
    expect([code, stderr]).toEqual([
      6,
      expect.stringContaining("Cannot write the output: no space left on device (ENOSPC)"),
    ]);
    expectCalm(stderr);
  });
});

describe("a terminal without UTF-8", () => {
  test.each([[{ LANG: "C" }], [{ LC_ALL: "POSIX", LANG: "en_US.UTF-8" }], [{ LANG: "de_DE.ISO-8859-1" }]])(
    "%j gets ASCII in tables, errors, help and JSON, and exact names for programs",
    async (env) => {
      const base = { LC_ALL: "", LC_CTYPE: "", ...env };
      expect((await cli(["services"], base)).stdout.toString()).toContain("gr\\u{f6}\\u{df}e  ");
      expect((await cli(["merge", 'cpu{ä="b"}', "--last", "1h", "-o", "x"], base)).stderr).toMatch(/^[\x20-\x7e\n]+$/);
      expect((await cli(["push", "--help"], base)).stdout.toString()).toMatch(/^[\x20-\x7e\n]+$/);
      const { stdout } = await cli(["services", "--json"], base);
      expect(stdout.toString()).toMatch(/^[\x20-\x7e\n]+$/);
      expect(JSON.parse(stdout.toString()).services[0].name).toBe("größe");
      expect((await cli(["services", "-q"], base)).stdout.toString()).toBe("größe\n");
    },
  );

  test("a container that says nothing of its locale gets UTF-8", async () => {
    const { stdout } = await cli(["services"], { LC_ALL: "", LC_CTYPE: "", LANG: "" });
    expect(stdout.toString()).toContain("größe  ");
  });
});

describe("colours", () => {
  const ESCAPE = "\x1b[";
  test("are for terminals, unless FORCE_COLOR or NO_COLOR say otherwise", async () => {
    const heading = async (env: Record<string, string>) => (await cli(["services"], env)).stdout.toString();
    expect(await heading({})).not.toContain(ESCAPE);
    expect(await heading({ FORCE_COLOR: "1" })).toContain(`${ESCAPE}1mNAME`);
    expect((await cli(["merge"], { FORCE_COLOR: "1" })).stderr).toContain(`${ESCAPE}31mprofusion:`);
  });
});

describe("a selector that cannot be read is shown with its place", () => {
  test.each([
    ["cpu{service=auth}", "             ^"],
    ['cpu{service="auth"', "                   ^"],
    ['{a~"b"}', "   ^"],
    ["cpu}", "    ^"],
  ])("%s", async (selector, marker) => {
    for (const args of [
      ["list", selector],
      ["merge", selector, "--last", "1h", "-o", "x"],
      ["delete", selector, "--yes"],
      ["services", "--of", selector],
      ["pprof", selector, "--last", "1h"],
      ["open", selector, "--last", "1h"],
    ]) {
      const { code, stderr } = await cli(args);
      const [said, shown, place] = stderr.trimEnd().split("\n");
      expect([code, shown, place]).toEqual([2, `  ${selector}`, ` ${marker}`]);
      expect(said).toContain(`at character ${marker.length - 1}:`);
    }
  });
});

describe("what is not there is said with the nearest that is", () => {
  test.each([
    [["lst"], "unknown command 'lst'", "(Did you mean list?)"],
    [["help", "lst"], "unknown command 'lst'", "did you mean list?"],
    [["help", "pack", "verfy"], "unknown command 'verfy'", "did you mean verify?"],
    [["lst", "--help"], "unknown command 'lst'", "did you mean list?"],
    [["--server", "http://127.0.0.1:9", "list"], "--server stands before the verb", '"profusion list --server"'],
    [["top", "--sort", "name"], "'name' is invalid", "Allowed choices are flat, cum"],
    [["list", "--limit", "5", "--all"], "cannot be used with option '--limit <number>'", ""],
    [["list", "--label", "version=~1"], "it takes name=value", `'{version=~"1"}'`],
    [["list", "--label", "version!=1"], "it takes name=value", `'{version!="1"}'`],
    [["list", "--last", "PT2H"], 'Cannot read duration "PT2H"', ""],
    [["context", "ad"], "unknown command 'ad'", "(Did you mean add?)"],
    [["list", "--servce", "a"], "unknown option '--servce'", "(Did you mean"],
    [["merge", "cpu", "--lst", "1h"], "unknown option '--lst'", "(Did you mean"],
    [["completion", "tcsh"], "is invalid", "Allowed choices are bash, zsh, fish"],
    [["list", "a", "b"], "too many arguments", ""],
    [["list", "--limit", "0"], "Cannot use --limit", ""],
    [["list", "--limit", "many"], "Cannot use --limit", ""],
    [["list", "--label", "x"], "write name=value", ""],
    [["list", "--from", "soonish"], "Cannot read time", ""],
    [["list", "--last", "soon"], "Cannot read duration", ""],
    [["get"], "missing required argument 'id'", ""],
  ])("%j", async (args, message, hint) => {
    const { code, stdout, stderr } = await cli(args);
    expect([code, stdout.length]).toEqual([2, 0]);
    expect(stderr).toMatch(/^profusion: /);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expectCalm(stderr);
  });
});

test.each([
  ["help", "pack", "verify"],
  ["pack", "verify", "--help"],
  ["pack", "--help", "verify"],
  ["--help", "pack", "verify"],
])("profusion %s %s %s is the help of that verb", async (...args) => {
  const { code, stdout, stderr } = await cli(args);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout.toString()).toMatch(/^Usage: profusion pack verify /);
});

describe("a window in which nothing can lie is refused by every verb that takes one", () => {
  test.each([
    ["list", "{}"],
    ["services"],
    ["types"],
    ["labels"],
    ["merge", "cpu", "-o", "x"],
    ["top", "cpu"],
    ["pprof", "cpu"],
    ["pprof", "cpu", "--last", "1h", "--diff-from", "1h", "--diff-to", "2h"],
    ["open", "cpu", "--print"],
    ["delete", "cpu", "--yes"],
    ["pgo", "report", "--service", "a"],
    ["pgo", "fetch", "--service", "a", "-o", "/nowhere/a", "--strict"],
  ])("%s", async (...verb) => {
    const window = verb.includes("--last") ? [] : ["--from", "2026-11-28", "--to", "2026-11-27"];
    const { code, stderr } = await cli([...verb, ...window]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("Cannot look into an empty window: it would begin at")]);
    expectCalm(stderr);
  });
});

describe("a file that cannot be written", () => {
  test.each([
    ["/", "Cannot write /: it is a folder; name a file in it", 2],
    ["", "Cannot write a file without a name", 2],
    ["/nowhere/x", "Cannot write /nowhere/x: no such file or directory (ENOENT)", 2],
    ...(process.platform === "linux" ? [["/dev/full", "no space left on device (ENOSPC)", 6] as const] : []),
  ] as const)("%j is told in words, without calls and other names", async (output, message, code) => {
    for (const verb of [
      ["merge", "cpu", "--last", "1d"],
      ["get", (await cli(["list", "-q", "--limit", "1"])).stdout.toString().trim()],
    ]) {
      const result = await cli([...verb, "-o", output]);
      expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(message)]);
      expect(result.stderr).not.toMatch(/tmp|rename|open '/);
      expectCalm(result.stderr);
    }
  });

  test("- is stdout", async () => {
    const { code, stdout } = await cli(["merge", "cpu", "--last", "1d", "-o", "-"]);
    expect([code, stdout.readUInt16BE(0)]).toEqual([0, 0x1f8b]);
  });
});

describe("a server that", () => {
  test("is not there: how to start one", async () => {
    const closed = createTcpServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const url = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    closed.close();
    await once(closed, "close");
    for (const args of [
      ["list"],
      ["services"],
      ["status"],
      ["get", "x"],
      ["merge", "cpu", "--last", "1h", "-o", "x"],
    ]) {
      const { code, stderr } = await cli([...args, "--server", url]);
      expect([code, stderr]).toEqual([
        6,
        expect.stringContaining(`Cannot reach ${url} (ECONNREFUSED): nothing listens`),
      ]);
      expect(stderr).toContain('"profusion serve" starts a server');
      expectCalm(stderr);
    }
  });

  test("has no such name", async () => {
    const { code, stderr } = await cli(["list", "--server", "http://no-such-host.invalid"]);
    expect([code, stderr]).toEqual([6, expect.stringContaining("there is no host of this name")]);
  });

  test("answers no TLS where https is asked for", async () => {
    await using plain = createServer().listen(0, "127.0.0.1");
    await once(plain, "listening");
    const { port } = plain.address() as AddressInfo;
    const { code, stderr } = await cli(["list", "--server", `https://127.0.0.1:${port}`]);
    expect([code, stderr]).toEqual([
      6,
      expect.stringContaining(`it does not answer TLS there; try http://127.0.0.1:${port}`),
    ]);
    expectCalm(stderr);
  });

  test.each([
    [404, "text/html", "does not answer as a Profusion server: HTTP 404"],
    [200, "text/html", "does not answer as a Profusion server: unsupported content type text/html"],
    [502, "text/html", "answers HTTP 502: a proxy stands there that does not reach a Profusion server"],
    [503, "text/html", "answers HTTP 503: a proxy"],
    [429, "text/html", "answers HTTP 429; does a proxy stand before it?"],
    [401, "text/html", "refuses without a valid key (HTTP 401): name one with --key or PROFUSION_KEY"],
    [403, "text/html", "answers HTTP 403; does a proxy stand before it?"],
    [404, "application/json", "cannot do this"],
  ])("answers %d %s", async (status, type, message) => {
    await using odd = createServer((_, response) => {
      const body = type === "text/html" ? "<html>" : '{"code":"unimplemented","message":"no such method"}';
      response.writeHead(status, { "content-type": type }).end(body);
    }).listen(0, "127.0.0.1");
    await once(odd, "listening");
    const url = `http://127.0.0.1:${(odd.address() as AddressInfo).port}`;
    const { code, stderr } = await cli(["list", "--server", url]);
    expect([code, stderr]).toEqual([[401, 403].includes(status) ? 7 : 6, expect.stringContaining(`${url} `)]);
    expect(stderr).toContain(message);
    expectCalm(stderr);
  });

  test("breaks off in the middle of an answer", async () => {
    await using broken = createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/proto", "content-length": "1000" }).write("x");
      response.socket!.destroySoon();
    }).listen(0, "127.0.0.1");
    await once(broken, "listening");
    const { code, stderr } = await cli([
      "list",
      "--server",
      `http://127.0.0.1:${(broken.address() as AddressInfo).port}`,
    ]);
    expect(code).toBe(6);
    expectCalm(stderr);
  });
});

test("without Go, `profusion pprof` says how to come by it, or around it", async () => {
  const { code, stderr } = await cli(["pprof", "cpu", "--last", "1d", "-q", "--", "-top"], { PATH: "/nowhere" });
  expect([code, stderr]).toEqual([
    6,
    expect.stringContaining("Install Go from https://go.dev/dl, or fetch the profile"),
  ]);
  expectCalm(stderr);
});

test.each([["list"], ["open", "cpu", "--last", "1h", "--print"]])(
  "%s: a zone that Node does not know is refused: it would be taken for UTC, silently",
  async (...args) => {
    const { code, stderr } = await cli(args, { TZ: "CET-1CEST" });
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("Cannot use the time zone TZ=CET-1CEST: write a name such as"),
    ]);
  },
);

test.runIf(process.platform === "linux")("where no folder can be made, as in /proc, all goes on without", async () => {
  const nowhere = { HOME: "/proc", XDG_CONFIG_HOME: "", XDG_STATE_HOME: "", XDG_CACHE_HOME: "" };
  const profile = buildProfile({ samples: [{ stack: ["main"], values: [1, 10] }] });
  const pushed = await runCli(["push", "--service", "homeless", "-"], {
    env: { PROFUSION_SERVER: server.url, ...nowhere },
    input: profile,
  });
  expect([pushed.code, pushed.stdout.length]).toEqual([0, 27]);
  const kept = await cli(["context", "add", "a", "--server", "http://a"], nowhere);
  expect([kept.code, kept.stderr]).toEqual([2, expect.stringContaining("Cannot keep contexts in /proc/.config")]);
  const served = await cli(["serve", "--listen", "127.0.0.1:0", "--data", "/proc/data"], nowhere);
  expect([served.code, served.stderr]).toEqual([
    6,
    expect.stringContaining("no folder can be made there: name another with --data"),
  ]);
});

test("a stack trace is shown with --debug, and only with it", async () => {
  const args = ["list", "--server", "http://127.0.0.1:9"];
  expectCalm((await cli(args)).stderr);
  for (const debug of [
    ["--debug", ...args],
    [...args, "--debug"],
  ]) {
    expect((await cli(debug)).stderr).toMatch(/^\s+at .*call-failure/m);
  }
});

test("a name can do nothing to the terminal", async () => {
  const { stderr } = await cli(["merge", '{a="\u009b2J\u202e"}', "--last", "1h", "-o", "x"]);
  expect(stderr).toContain("\\u{9b}2J\\u{202e}");
});
