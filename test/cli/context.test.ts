// `profusion context`, and which server and key a verb takes: what a server really receives.

import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkedKey, checkServer } from "../../src/cli/target.ts";
import { runCli } from "../support/run-cli.ts";

let home: string;
let file: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "profusion-context-"));
  file = join(home, "profusion", "config.yaml");
});
afterEach(() => rmSync(home, { recursive: true }));

const cli = (args: string[], env: Record<string, string> = {}) =>
  runCli(args, { env: { XDG_CONFIG_HOME: home, ...env } });

/** A server that knows nothing, and remembers what it was asked with. */
async function listening() {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, requests, [Symbol.dispose]: () => server.close() };
}

describe("profusion context", () => {
  test("adds, lists, uses and removes names; the first one is used, and the file is its owner's alone", async () => {
    expect((await cli(["context", "list"])).stdout.toString()).toContain("no contexts");
    expect((await cli(["context", "add", "prod", "--server", "https://prod.example/", "--key", "k"])).code).toBe(0);
    expect((await cli(["context", "add", "dev", "--server", "http://127.0.0.1:1"])).code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse((await cli(["context", "list", "--json"])).stdout.toString())).toEqual({
      contexts: [
        { name: "prod", server: "https://prod.example", current: true, hasKey: true },
        { name: "dev", server: "http://127.0.0.1:1", current: false, hasKey: false },
      ],
    });
    expect((await cli(["context", "use", "dev"])).code).toBe(0);
    expect((await cli(["context", "list", "--quiet"])).stdout.toString()).toBe("prod\ndev\n");
    expect((await cli(["context", "remove", "prod"])).code).toBe(0);
    expect(readFileSync(file, "utf8")).toBe("contexts:\n  dev:\n    server: http://127.0.0.1:1\ncurrent: dev\n");
    expect(await cli(["context", "use", "prod"])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('Cannot find context "prod": '),
    });
  });

  test("a change keeps what people wrote beside it", async () => {
    mkdirSync(join(home, "profusion"));
    writeFileSync(file, "# ours\ncurrent: a\ncontexts:\n  a: { server: http://127.0.0.1:1 } # the old one\n");
    expect((await cli(["context", "add", "b", "--server", "http://127.0.0.1:2"])).code).toBe(0);
    expect(readFileSync(file, "utf8")).toMatch(/^# ours\n.*# the old one\n.*b:\n/s);
  });

  test.each([
    ["contexts: [a", "1:13: this line is indented unlike"],
    ["contexts: []", "1:11: `contexts` is one word or a list, where a section is expected"],
    ["a\n", "1:1: it is one word or a list, where a section is expected"],
    ["contexts: {}\ncurent: a\n", '2:1: "curent" means nothing here; did you mean current?'],
    ["contexts: {a: {}}", '1:12: context "a" has no `server`'],
    ["contexts:\n  a:\n", '2:3: context "a" has no `server`'],
    ["contexts: {a: {server: 1}}", '1:24: `server` of context "a" is taken by YAML for a number: write it in quotes'],
    ["contexts: {a: {server: x, key: 12345}}", '1:32: `key` of context "a" is taken by YAML for a number'],
    ["contexts: {a: {server: [x]}}", '1:24: `server` of context "a" is a list or a section'],
    ["contexts:\n  a:\n    servr: x\n", '3:5: "servr" means nothing here; did you mean server?: context "a" has'],
    ["contexts: {a: {server: x, key: y, key_file: z}}", '1:12: context "a" has both key and key_file'],
    ["contexts: {a: {server: x, server: y}}", "1:27: this name is there twice"],
    ["contexts: {a: &s {server: x}, b: *s}", '1:34: context "b" is an alias, which is not followed'],
    ["a: 1\n---\nb: 2\n", "2:1: a second document begins here"],
    ["\tcontexts: {}", "1:1: a tab where the line is indented"],
  ])("a file that says %j is refused in one line", async (text, message) => {
    mkdirSync(join(home, "profusion"));
    writeFileSync(file, text);
    const { code, stderr } = await cli(["status"]);
    expect([code, stderr.trimEnd().split("\n").length]).toEqual([2, 1]);
    expect(stderr).toContain(`Cannot read contexts from ${file}:${message}`);
    expect(stderr).not.toContain("12345");
  });

  test("an empty file has no contexts", async () => {
    mkdirSync(join(home, "profusion"));
    writeFileSync(file, "# later\n");
    expect((await cli(["context", "list"])).stdout.toString()).toContain("no contexts");
    for (const text of ["# later\n", "contexts:\ncurrent:\n", "contexts: {}\n"]) {
      writeFileSync(file, text);
      expect((await cli(["context", "add", "a", "--server", "http://a"])).code, text).toBe(0);
      expect((await cli(["context", "list", "--quiet"])).stdout.toString()).toBe("a\n");
      expect(readFileSync(file, "utf8").includes("# later")).toBe(text.includes("# later"));
    }
  });

  test.each(["", "a\nb"])("%j is no name for one", async (name) => {
    const said = await cli(["context", "add", name, "--server", "http://a"]);
    expect(said).toMatchObject({ code: 2, stderr: expect.stringContaining("Cannot add context") });
    expect(existsSync(file)).toBe(false);
  });

  test("of a name that is not there the nearest is told", async () => {
    await cli(["context", "add", "dev", "--server", "http://a"]);
    const hint = expect.stringContaining('has "dev"; did you mean dev?');
    expect(await cli(["context", "use", "dve"])).toMatchObject({ code: 3, stderr: hint });
    expect(await cli(["status", "--context", "dve"])).toMatchObject({ code: 2, stderr: hint });
  });
});

describe("the server and the key of a verb", () => {
  test("come from options, then the environment, then the context in use; a context's key goes to its server alone", async () => {
    using context = await listening();
    using other = await listening();
    writeFileSync(join(home, "key"), "from-file\n");
    mkdirSync(join(home, "profusion"));
    writeFileSync(
      file,
      `current: a\ncontexts:\n  a: {server: "${context.url}", key_file: ../key}\n  b: {server: "${other.url}", key: of-b}\n`,
    );
    const asked = async (server: typeof context, args: string[], env = {}) => {
      const { code, stderr } = await cli(["status", ...args], env);
      expect([code, stderr]).toEqual([6, expect.stringContaining("does not answer as a Profusion server: HTTP 404")]);
      const request = server.requests.pop();
      expect([context.requests.length, other.requests.length]).toEqual([0, 0]);
      return request?.headers.authorization;
    };
    expect(await asked(context, [])).toBe("Bearer from-file");
    expect(await asked(context, [], { PROFUSION_KEY: "env" })).toBe("Bearer env");
    expect(await asked(context, ["--key", "flag"], { PROFUSION_KEY: "env" })).toBe("Bearer flag");
    expect(await asked(other, [], { PROFUSION_CONTEXT: "b" })).toBe("Bearer of-b");
    expect(await asked(context, ["--context", "a"], { PROFUSION_CONTEXT: "b" })).toBe("Bearer from-file");
    expect(await asked(context, ["--context", "a"], { PROFUSION_SERVER: other.url })).toBe("Bearer from-file");
    expect(await asked(other, [], { PROFUSION_SERVER: other.url })).toBeUndefined();
    expect(await asked(other, ["--server", other.url])).toBeUndefined();
    expect(await asked(other, ["--server", `${other.url}///`, "--key", "flag"])).toBe("Bearer flag");
    const keyFile = join(home, "key");
    expect(await asked(other, ["--server", other.url, "--key-file", keyFile])).toBe("Bearer from-file");
    expect(await asked(context, ["--key-file", keyFile], { PROFUSION_KEY: "env" })).toBe("Bearer from-file");
    expect(await asked(context, ["--key", "flag"], { PROFUSION_KEY_FILE: "/absent" })).toBe("Bearer flag");
    expect(await asked(other, ["--context", "b"], { PROFUSION_KEY_FILE: keyFile })).toBe("Bearer from-file");
  });

  test.each([
    [["--server", "http://127.0.0.1:1", "--context", "a"], "Cannot take --server together with --context"],
    [["--context", "absent"], 'Cannot use context "absent": '],
    [["--server", "ftp://a"], "Cannot use server"],
    [["--key", "k", "--key-file", "f"], "Cannot take --key together with --key-file"],
    [["--key-file", "/absent"], "Cannot read the key of --key-file from /absent: no such file or directory (ENOENT)"],
    [["--server", "http://a?b=c"], "without ? and #"],
    [["--server", "http://a#b"], "without ? and #"],
  ])("%j is refused", async (args, message) => {
    expect(await cli(["status", ...args])).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });

  test("a key and a file with one are not given together in the environment", async () => {
    const said = await cli(["status"], { PROFUSION_KEY: "k", PROFUSION_KEY_FILE: "f" });
    expect(said).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Cannot take PROFUSION_KEY together with PROFUSION_KEY_FILE"),
    });
  });

  test("a key file that is not there is named", async () => {
    const key = join(home, "absent");
    await cli(["context", "add", "a", "--server", "http://127.0.0.1:1", "--key-file", key]);
    expect(await cli(["status"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`Cannot read the key of context "a" from ${key}: no such file`),
    });
  });
});

describe("a secret is in no message, neither with --debug nor as JSON", () => {
  const SECRET = "sekrit";
  const NOT_SAYING = new RegExp(`^(?!.*${SECRET})`, "s");

  test.each([
    ["list"],
    ["push", "--service", "a", "-", "--json"],
    ["open", "cpu", "--last", "1h", "--print"],
    ["top", "cpu", "--last", "1h", "--debug"],
    ["pgo", "fetch", "--service", "a", "-o", "/nowhere/a", "--strict"],
    ["context", "add", "a"],
  ])("a password in the server's URL is refused: %j", async (...args) => {
    const { code, stdout, stderr } = await cli([...args, "--server", `http://user:${SECRET}@127.0.0.1:9`]);
    expect([code, stdout.toString()]).toEqual([2, ""]);
    expect(stderr).toContain('Cannot use server "http://xxxxx@127.0.0.1:9"');
    expect(stderr).toMatch(NOT_SAYING);
  });

  test.each([
    [`http://${SECRET}@a`, "http://xxxxx@a"],
    [`http://user:p@${SECRET}@a`, "http://xxxxx@a"],
    [`user:${SECRET}@a`, "xxxxx@a"],
    [`http://a?token=${SECRET}`, "http://a?…"],
    [`ftp://user:${SECRET}/\n@a`, "ftp://xxxxx@a"],
  ])("so is whatever may be one, in what is no URL of a server too: %j", (server, shown) => {
    expect(() => checkServer(server)).toThrow(`Cannot use server "${shown}": `);
  });

  test.each([`${SECRET}\nkey`, `${SECRET} key`, `schlüssel-${SECRET}`, `${SECRET}✓`, `${SECRET}\0`, ""])(
    "a key that no header can carry is refused: %j",
    (key) => {
      expect(() => checkedKey(key, "--key")).toThrow(/^Cannot use the key of --key: it (is empty|has a character)/);
      expect(() => checkedKey(key, "--key")).not.toThrow(SECRET);
    },
  );

  test("so it is wherever it comes from", async () => {
    const key = `schlüssel-${SECRET}`;

    mkdirSync(join(home, "profusion"));
    writeFileSync(join(home, "key"), `${key}\r\nmore ${SECRET}`);
    const contexts = { file: { key_file: "../key" }, text: { key } };
    const entries = Object.entries(contexts).map(([name, said]) => [name, { server: "http://127.0.0.1:9", ...said }]);
    writeFileSync(file, JSON.stringify({ contexts: Object.fromEntries(entries) }));
    const runs: [args: string[], env?: Record<string, string>][] = [
      [["list", "--key", key, "--debug"]],
      [["list", "--context", "text", "--debug"]],
      [["list", "--context", "file"]],
      [["context", "add", "a", "--server", "http://a", "--key", key]],
    ];
    runs.push([["list"], { PROFUSION_KEY: key }]);
    for (const [args, env] of runs) {
      const { code, stderr } = await cli(args, env);
      expect([code, stderr]).toEqual([2, expect.stringContaining("Cannot use the key of ")]);
      expect(stderr).toMatch(NOT_SAYING);
    }
  });

  test("what was meant for an option that there is not", async () => {
    for (const args of [
      ["list", `--kye=${SECRET}`],
      ["list", `-k${SECRET}`],
      ["status", "--key=", SECRET],
      ["list", "--server", "http://127.0.0.1:9", "--key", SECRET, "--debug"],
    ]) {
      const { code, stderr } = await cli(args);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(NOT_SAYING);
    }
  });

  test("a password that somebody wrote into the contexts file is not listed", async () => {
    mkdirSync(join(home, "profusion"));
    writeFileSync(file, `contexts: {a: {server: "http://user:${SECRET}@a"}}`);
    for (const args of [["list"], ["list", "--json"]]) {
      const { stdout } = await cli(["context", ...args]);
      expect(stdout.toString()).toContain("http://xxxxx@a");
    }
    const completed = await cli(["__complete", "--", "list", "--context", ""]);
    expect(completed.stdout.toString()).toMatch(/^a\t.*xxxxx@a/);
  });
});
