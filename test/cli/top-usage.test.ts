// `top` and `usage` as processes against a server: as tables, as JSON, as names alone.

import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { amountText } from "../../src/cli/amount-text.ts";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const recorded = (name: string) => fileURLToPath(new URL(`../testdata/recorded/${name}`, import.meta.url));

let server: ServerForTest;
beforeAll(async () => {
  server = await runServer();
  const cpu = [1, 2, 3].map((round) => recorded(`go-cpu-${round}.pb.gz`));
  await cli("push", "--service", "auth", "--label", "version=1", ...cpu);
  const heap = [1, 2, 3].map((round) => recorded(`go-heap-${round}.pb.gz`));
  await cli("push", "--service", "cart", "--label", "pod=a", ...heap);
});
afterAll(() => server[Symbol.asyncDispose]());

const cli = (...args: string[]) => runCli(args, { env: { PROFUSION_SERVER: server.url, TZ: "Europe/Berlin" } });

async function lines(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await cli(...args);
  expect(code, stderr).toBe(0);
  return stdout.toString().trimEnd().split("\n");
}

async function refusal(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...args);
  expect([code, stdout.toString()]).toEqual([2, ""]);
  return stderr;
}

const CPU = ["top", 'cpu{service="auth"}', "--last", "9999d"];
const HEAP = ["top", "heap", "--last", "9999d"];

describe("profusion top", () => {
  test("is a table by flat; what was merged and what is left out goes to stderr", async () => {
    const { stdout, stderr } = await cli(...CPU, "--limit", "3");
    const [heading, first, ...rest] = stdout.toString().trimEnd().split("\n");
    expect(heading).toMatch(/^ +FLAT +FLAT% +SUM% +CUM +CUM% {2}NAME$/);
    expect(first).toBe("1.28 s  32.1%  32.1%  3.22 s  80.7%  bytes.Index");
    expect(rest).toHaveLength(2);
    expect(stderr).toMatch(/^\d+ rows more: --limit or --all shows them\nmerged 3 of 3 profiles, from 2026-11-21T/);
    expect(stderr).toMatch(/^ {2}cpu: 3\.99 s$/m);
  });

  test.each([
    ["line", /^bytes\.Index bytes\/bytes\.go:\d+$/],
    ["file", /^bytes\/bytes\.go$/],
    ["package", /^bytes$/],
    ["service", /^auth$/],
    ["label=nobody's", /^\(none\)$/],
  ])("ranks by %s", async (by, name) => {
    const names = (await lines(...CPU, "--by", by)).map((line) => line.split("%  ").at(-1)!.trim());
    expect(names.some((each) => name.test(each))).toBe(true);
  });

  test("ranks by cum, and shows all rows where all are asked for", async () => {
    const rows = await lines(...CPU, "--sort", "cum", "--all");
    const { stdout } = await cli(...CPU, "--sort", "cum", "--all", "--json");
    const { functions, totalSize } = JSON.parse(stdout.toString()) as {
      functions: { cum: number }[];
      totalSize: number;
    };
    expect([rows.length - 1, functions.length]).toEqual([totalSize, totalSize]);
    const cums = functions.map(({ cum }) => cum);
    expect(cums).toEqual(cums.toSorted((a, b) => b - a));
  });

  test("is one JSON document with --json, names alone with --quiet", async () => {
    const { code, stdout, stderr } = await cli(...CPU, "--limit", "2", "--json");
    expect([code, stderr]).toEqual([0, ""]);
    const { functions, total, aggregation, summary } = JSON.parse(stdout.toString());
    expect(functions[0]).toMatchObject({ name: "bytes.Index", flat: 1_280_000_000, cum: 3_220_000_000 });
    expect([functions.length, total, aggregation]).toEqual([2, 3_990_000_000, "AGGREGATION_METHOD_SUM"]);
    expect(summary).toMatchObject({ merged: 3, sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });
    const quiet = await cli(...CPU, "--limit", "2", "--quiet");
    expect([quiet.stdout.toString(), quiet.stderr]).toEqual(["bytes.Index\nindexbytebody\n", ""]);
  });

  test("of snapshots it says how many became one, and takes another column or method", async () => {
    const note = async (...args: string[]) => (await cli(...HEAP, ...args)).stderr;
    expect(await note()).toContain("the mean over the profiles of each series");
    expect(await note("--column", "alloc_space")).toContain("the increase over the window of each series");
    expect(await note("--aggregation", "last")).toContain("the last profile of each series");
    const summed = await note("--column", "inuse_space/bytes", "--aggregation", "sum");
    expect(summed).toContain("inuse_space/bytes is gauge: this is the plain sum of 3 profiles");
  });

  test("says what is allowed where something is mistyped, and where to look where nothing matches", async () => {
    expect(await refusal(...CPU, "--by", "label")).toContain(
      "it is function, line, file, package, service, or label=KEY",
    );
    expect(await refusal(...CPU, "--sort", "up")).toContain("Allowed choices are flat, cum");
    expect(await refusal(...HEAP, "--column", "alloc")).toContain("there is alloc_objects/count, alloc_space/bytes");
    expect(await refusal("top", "cpu")).toContain("without a window");
    const missed = await cli("top", "cpu", "--last", "1s");
    expect([missed.code, missed.stdout.toString()]).toEqual([3, ""]);
    expect(missed.stderr).toMatch(/^profusion: cpu: No profile matches; asked for .* the newest that matches began at/);
  });
});

describe("profusion usage", () => {
  test("is a table, the largest first, with a total, in the local zone", async () => {
    const [heading, ...rows] = await lines("usage");
    expect(heading).toBe("SERVICE  TYPE  PROFILES  PACKED  SERIES    SENT  STORED  OLDEST (Europe/Berlin)  NEWEST");
    expect(rows.map((row) => row.split(/ +/).slice(0, 5).join(" "))).toEqual([
      "cart heap 3 0 1",
      "auth cpu 3 0 1",
      "total 6 0 2 40",
    ]);
    expect(rows[1]).toMatch(/ 16 KiB {2}16 KiB {2}2026-11-21 03:46:15 +2026-11-21 03:46:18$/);
  });

  test("is one JSON document with --json, services and types alone with --quiet, narrowed by a prefix", async () => {
    const { usages, total } = JSON.parse((await cli("usage", "--json", "--prefix", "au")).stdout.toString());
    expect(usages).toMatchObject([{ service: "auth", profileType: "cpu", profileCount: 3, packedProfileCount: 0 }]);
    expect(total).toMatchObject({ service: "", profileCount: 3, sentBytes: usages[0].sentBytes });
    expect(await lines("usage", "-q")).toEqual(["cart heap", "auth cpu"]);
    const none = await cli("usage", "--prefix", "zzz");
    expect([none.code, none.stdout.toString(), none.stderr]).toEqual([0, "", "there are no profiles\n"]);
  });
});

test.each([
  [0n, "nanoseconds", "0"],
  [999n, "nanoseconds", "999 ns"],
  [-1_340_000_000n, "nanoseconds", "-1.34 s"],
  [10_000_000_000n, "nanoseconds", "10.0 s"],
  [90_000n, "milliseconds", "1.50 min"],
  [9_000_000_000_000_000n, "nanoseconds", "104 d"],
  [1023n, "bytes", "1023 B"],
  [1536n, "bytes", "1.50 KiB"],
  [1_047_527_424n, "bytes", "999 MiB"],
  [12_345_678n, "count", "12345678"],
  [5n, "cycles", "5 cycles"],
])("%s %s is shown as %s", (value, unit, text) => {
  expect(amountText(value, unit)).toBe(text);
});
