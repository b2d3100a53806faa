// `profusion config` as its user meets it: output, exit codes, and that what it prints means the same again.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { codeBlocks } from "../../support/code-blocks.ts";
import { runCli } from "../../support/run-cli.ts";

const REFERENCE = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-config-"));
  path = join(folder, "profusion.yaml");
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = async (args: string[], env: Record<string, string> = {}) => {
  const { code, stdout, stderr } = await runCli(["config", ...args], { env });
  return { code, stdout: stdout.toString(), stderr };
};

describe("config check", () => {
  test("says ok and exits with 0, of a file and of none", async () => {
    writeFileSync(path, "log_level: warn\n");
    expect(await run(["check", path])).toEqual({ code: 0, stdout: "ok\n", stderr: "" });
    expect(await run(["check"])).toEqual({ code: 0, stdout: "ok\n", stderr: "" });
  });

  test("tells every fault with file, line and column, those of environment and flags too, and exits with 2", async () => {
    writeFileSync(path, "log_levle: warn\nlimits:\n  labels: 0\n");
    const { code, stdout, stderr } = await run(["check", path, "--pack", "--limit", "x=1"], { PROFUSION_PACK: "x" });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr.trimEnd().split("\n")).toEqual([
      '--limit: Cannot set limit "x": no limit has this name',
      `${path}:1:1: Cannot set "log_levle": no setting has this name; did you mean log_level?`,
      `${path}:3:11: Cannot set limits.labels to "0": it is a whole number from 1 to 9007199254740991`,
      'PROFUSION_PACK: Cannot set pack to "x": it is true or false (on and off mean the same)',
    ]);
  });

  test("takes the file from --config and PROFUSION_CONFIG, and warns of variables that nothing reads", async () => {
    writeFileSync(path, "pack: x\n");
    expect((await run(["check", "--config", path])).code).toBe(2);
    const { code, stderr } = await run(["check"], { PROFUSION_CONFIG: path, PROFUSION_DATAS: "x" });
    expect([code, stderr]).toEqual([2, expect.stringContaining("did you mean PROFUSION_DATA?")]);
    expect((await run(["check", join(folder, "absent.yaml")])).stderr).toContain("Cannot read the configuration file");
  });

  test("accepts the example of the reference page", async () => {
    const [example] = codeBlocks(REFERENCE).filter(({ language }) => language === "yaml");
    writeFileSync(path, example!.code);
    expect((await run(["check", path])).stdout).toBe("ok\n");
  });
});

describe("config print", () => {
  test("gives each value with its origin", async () => {
    writeFileSync(path, "log_level: warn\nlimits:\n  body_bytes: 1MiB\n");
    const args = ["print", "--config", path, "--no-pack"];
    const { code, stdout } = await run(args, { PROFUSION_LIMIT_LABELS: "7" });
    const lines = stdout.split("\n").map((line) => line.replace(/ +#/, " #"));
    expect(code).toBe(0);
    expect(lines).toEqual(
      expect.arrayContaining([
        "listen: [127.0.0.1:10100] # default",
        "# tls_cert: not set # default",
        "pack: false # --no-pack",
        `log_level: warn # ${path}:1:1`,
        "limits:",
        `  body_bytes: 1MiB # ${path}:3:3`,
        "  labels: 7 # PROFUSION_LIMIT_LABELS",
        "  merge_ms: 1m # default",
      ]),
    );
  });

  test("prints what a server reads as the same again, words that need quotes too", async () => {
    const args = ["--listen", "[::1]:1", "--listen", "localhost:2", "--data", "/a: 'b' #c", "--originals", "1h30m"];
    const limits = ["--limit", "bodyBytes=1234567", "--limit", "pack_share_percent=7%", "--tls-cert", "/null"];
    const first = await run(["print", ...args, ...limits, "--tls-key", "/true"]);
    writeFileSync(path, first.stdout);
    const again = await run(["print", "--config", path]);
    const values = (text: string) => text.split("\n").map((line) => line.replace(/ +# (?!tls).*$/, ""));
    expect(again.stderr).toBe("");
    expect(values(again.stdout)).toEqual(values(first.stdout));
  });

  test("refuses what serve refuses, in one line for each fault and without a stack trace", async () => {
    const { code, stdout, stderr } = await run(["print", "--log-level", "loud", "--listen", "a"]);
    expect([code === 0, stdout]).toEqual([false, ""]);
    expect(stderr.trimEnd().split("\n").length).toBe(2);
  });
});

test("config check and print answer one JSON document where --json asks for it, with the same exit codes", async () => {
  writeFileSync(path, "log_levle: warn\n");
  const checked = await run(["check", path, "--json"], { PROFUSION_DATAS: "x" });
  expect([checked.code, checked.stderr]).toEqual([2, ""]);
  expect(JSON.parse(checked.stdout)).toEqual({
    faults: [
      {
        place: `${path}:1:1`,
        message: 'Cannot set "log_levle": no setting has this name; did you mean log_level?',
      },
    ],
    warnings: ["The variable PROFUSION_DATAS is not used: no setting has this name; did you mean PROFUSION_DATA?"],
  });
  writeFileSync(path, "log_level: warn\nlisten: [a:1, b:2]\n");
  expect(JSON.parse((await run(["check", path, "--json"])).stdout)).toEqual({ faults: [], warnings: [] });
  const { settings } = JSON.parse((await run(["print", "--config", path, "--json"])).stdout);
  expect(settings).toEqual(
    expect.arrayContaining([
      { key: "log_level", value: "warn", origin: `${path}:1:1` },
      { key: "listen", value: ["a:1", "b:2"], origin: `${path}:2:1` },
      { key: "tls_cert", value: null, origin: "default" },
      { key: "limits.merge_ms", value: "1m", origin: "default" },
    ]),
  );
  expect(await run(["check", path, "--quiet"], { PROFUSION_DATAS: "x" })).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("config schema prints JSON", async () => {
  expect(JSON.parse((await run(["schema"])).stdout).$schema).toBe("https://json-schema.org/draft/2020-12/schema");
});

test("docs/configuration.md is what config reference prints: npm run docs:configuration writes it anew", async () => {
  expect((await run(["reference"])).stdout).toBe(REFERENCE);
});

test.each([
  [["serve", "--lisen", "127.0.0.1:0"], "--listen"],
  [["serve", "--log-levle", "info"], "--log-level"],
  [["config", "chek"], "check"],
  [["config", "print", "--limits", "a=1"], "--limit"],
])("of %j the nearest that there is is told", async (args, nearest) => {
  const { code, stderr } = await runCli(args);
  expect(code).not.toBe(0);
  expect(stderr).toContain(`(Did you mean ${nearest}?)`);
});
