// `profusion pgo report`, `check`, `publish`, `releases`, `channel` and `policy` as processes against a server: as text, as JSON, as names alone.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cpuProfile, pushCpu } from "../support/pgo-service.ts";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

let server: ServerForTest;
let folder: string;
beforeAll(async () => {
  server = await runServer();
  folder = mkdtempSync(join(tmpdir(), "profusion-pgo-"));
  await pushCpu(server.url, "auth", cpuProfile(2000), "instance=a,version=1.0");
  await pushCpu(server.url, "auth", cpuProfile(1500), "instance=b,version=1.0");
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const cli = (...args: string[]) => runCli(["pgo", ...args], { env: { PROFUSION_SERVER: server.url, TZ: "UTC" } });
const text = async (...args: string[]) => {
  const { code, stdout, stderr } = await cli(...args);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.toString();
};
const json = async (...args: string[]) => JSON.parse(await text(...args, "--json"));
const fails = async (code: number, message: string, ...args: string[]) =>
  expect(await cli(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
const fileOf = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe("profusion pgo report", () => {
  test("is the verdict, the findings with their bounds, and why", async () => {
    const told = await text("report", "--service", "auth");
    expect(told).toMatch(
      /^usable: 3500 samples, 2 instances; .*\n\nFINDING +VALUE +VERDICT +USABLE +GOOD\nsamples +3500 +usable/,
    );
    expect(told).toContain("versions      1.0 100 %");
    expect(await text("report", "--service", "auth", "-q")).toBe("usable\n");
  });

  test("is the contract's answer with --json, whose 64-bit numbers are numbers", async () => {
    const { report, summary } = await json("report", "--service", "auth");
    expect(report).toMatchObject({ verdict: "PGO_VERDICT_USABLE", sampleCount: 3500, instanceCount: 2 });
    expect(summary).toMatchObject({ merged: 2 });
    expect((await json("report", "--service", "auth", "--policy", "plain")).report.sampleCount).toBe(3500);
  });

  test("of nothing is not found, and says so", async () => {
    await fails(3, "No profile", "report", "--service", "nobody");
    await fails(3, "No profile", "report", "--service", "auth", "--selector", '{version="9"}');
  });
});

describe("profusion pgo check", () => {
  test("tells of a file what the server would, without a server", async () => {
    const file = fileOf("default.pgo", cpuProfile(20_000));
    const { code, stdout } = await runCli(["pgo", "check", file], { env: { PROFUSION_SERVER: "http://127.0.0.1:1" } });
    expect([code, stdout.toString()]).toEqual([
      0,
      expect.stringMatching(/^usable: 20000 samples; wall_time 30 s \(good from 300 s\)\n\nFINDING/),
    ]);
    const { files } = await json("check", file);
    expect(files).toMatchObject([{ file, verdict: "usable", facts: { content: { samples: 20_000 } } }]);
  });

  test("names each of several files, and exits with 8 where one is unusable", async () => {
    const profile = fileOf("some.pgo", cpuProfile(20_000));
    const page = fileOf("page.pgo", "<html>");
    const { code, stdout } = await cli("check", profile, page);
    expect(code).toBe(8);
    expect(stdout.toString()).toMatch(
      /some\.pgo\nusable: [\s\S]*page\.pgo\nunusable: go build fails on it: it is text/,
    );
    expect((await cli("check", profile, page, "-q")).stdout.toString()).toBe("usable\nunusable\n");
    await fails(2, "Cannot read", "check", join(folder, "absent.pgo"));
  });
});

describe("publish, releases and channel", () => {
  test("keep a profile under a name, list what there is, and point at it", async () => {
    expect((await cli("releases", "--service", "auth")).stderr).toBe('nothing was published of "auth"\n');
    expect(await text("publish", "--service", "auth", "--name", "first", "--channel", "stable")).toMatch(
      /^auth@first is published: usable, \d+ B; stable points at it\n$/,
    );
    expect(await text("publish", "--service", "auth", "--name", "first")).toContain("auth@first was there already");
    await pushCpu(server.url, "auth", cpuProfile(900, "main.other"), "instance=c");
    expect(await text("publish", "--service", "auth", "-q")).toMatch(/^\d{4}-\d\d-\d\d\n$/);
    const { release, alreadyExisted } = await json("publish", "--service", "auth", "--name", "third");
    expect([release.name, alreadyExisted]).toEqual(["third", false]);
    const lines = (await text("releases", "--service", "auth")).split("\n");
    expect(lines[0]).toMatch(/^RELEASE +CHANNELS +VERDICT +SIZE +PUBLISHED \(UTC\) +SHA-256$/);
    expect(lines[3]).toMatch(/^first +stable +usable +\d+ B +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +[0-9a-f]{12}$/);
    expect((await text("releases", "--service", "auth", "-q")).split("\n")).toEqual(
      expect.arrayContaining(["first", "third"]),
    );
    const { releases, more } = await json("releases", "--service", "auth");
    expect([releases.length, more]).toEqual([3, false]);
  });

  test("move, and tell where they point and pointed", async () => {
    expect(await text("channel", "auth@canary", "first")).toMatch(
      /^auth@canary points at first, since \d{4}-\S+\+00:00\n$/,
    );
    await text("channel", "auth@canary", "third");
    expect(await text("channel", "auth@canary")).toMatch(/^auth@canary points at third, .*\n {2}before: first, since/);
    expect(await text("channel", "auth@canary", "-q")).toBe("third\n");
    expect(await json("channel", "auth@stable")).toMatchObject({ name: "stable", release: "first" });
  });

  test("say what is wrong", async () => {
    await fails(3, 'has no channel "nope": it has canary, stable', "channel", "auth@nope");
    await fails(3, 'There is no release "ninth"', "channel", "auth@canary", "ninth");
    await fails(2, "write SERVICE@NAME", "channel", "auth");
    await fails(4, "good is required", "publish", "--service", "auth", "--name", "best", "--require", "good");
    await fails(4, '"first"', "publish", "--service", "auth", "--name", "first");
  });
});

describe("profusion pgo policy", () => {
  test("prints a policy as YAML that it takes again", async () => {
    const yaml = await text("policy", "get", "--service", "auth");
    expect(yaml).toContain("window: 7d\n");
    const file = fileOf(
      "policy.yaml",
      yaml.replace("window: 7d", "window: 36h").replace("keep_locations: 5", "keep_locations: -1"),
    );
    expect((await cli("policy", "set", "--service", "auth", file)).stderr).toBe('policy "default" of "auth" is set\n');
    expect(await text("policy", "get", "--service", "auth")).toBe(readFileSync(file, "utf8"));
  });

  test("takes what a file says, YAML or JSON, and defaults for all else", async () => {
    const yaml = fileOf(
      "canary.yaml",
      'selector: cpu{env="canary"}\nmin_samples: 5000\nweighting: none\ndrop: [^net/http]\n',
    );
    const { policy, etag } = await json("policy", "set", "--service", "auth", "--name", "canary", yaml);
    expect(policy).toMatchObject({
      name: "canary",
      selector: 'cpu{env="canary"}',
      window: "604800s",
      minSamples: 5000,
      weighting: "PGO_WEIGHTING_NONE",
      drop: ["^net/http"],
      keepLocations: 5,
    });
    expect(etag).not.toBe("");
    const rules = { prune: [{ drop: "^runtime" }], thresholds: [{ finding: "samples", good_from: 5000 }] };
    const stdin = { env: { PROFUSION_SERVER: server.url }, input: Buffer.from(JSON.stringify(rules)) };
    await runCli(["pgo", "policy", "set", "--service", "auth", "--name", "fleet", "-"], stdin);
    expect((await json("policy", "get", "--service", "auth", "fleet")).policy).toMatchObject({
      prune: [{ drop: "^runtime" }],
      thresholds: [{ finding: "samples", goodFrom: 5000 }],
    });
    expect(await text("policy", "list", "--service", "auth", "-q")).toBe("canary\ndefault\nfleet\nplain\n");
    expect(await text("policy", "list", "--service", "auth")).toMatch(/^plain +cpu +all of time +>= 0 +all$/m);
  });

  test("is deleted, and default is then what it was", async () => {
    await cli("policy", "delete", "--service", "auth", "default");
    expect(await text("policy", "get", "--service", "auth")).toContain("window: 7d\n");
    await fails(3, 'no policy "absent"', "policy", "delete", "--service", "auth", "absent");
  });

  test.each([
    ["windw: 3d", 'there is no "windw"; did you mean window?'],
    ["window: 3", "window is 3, and it is a duration, such as 7d"],
    ["window: 10s", "window is 1h to 366d"],
    ["keep_locations: 1", "keep_locations is -1 for all, or"],
    ["prune: [{keep: a}]", "keep alone drops nothing"],
    ["drop: ['(']", "("],
    ["a: [", "Cannot read"],
    ["- a", "keys with values are expected"],
  ])("%j is refused, and says why", async (content, message) => {
    await fails(2, message, "policy", "set", "--service", "auth", fileOf("wrong.yaml", content));
  });
});
