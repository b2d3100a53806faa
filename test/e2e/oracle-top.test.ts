// Rankings against `go tool pprof -top` on google/pprof's own merge of the same files: rows, values, shares and order. Needs Go.

import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AdminService } from "../../gen/profusion/v1/admin_service_pb.ts";
import { AggregationMethod } from "../../gen/profusion/v1/profile_pb.ts";
import { ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import { QueryService, TopGrouping, TopOrder } from "../../gen/profusion/v1/query_service_pb.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { encodeProfile } from "../../src/pprof/encode.ts";
import { isGzip } from "../../src/pprof/gzip.ts";
import { buildGo } from "../support/oracle.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const run = promisify(execFile);
const testdata = (name: string) => fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));
const TYPES = ["cpu", "heap", "allocs", "block", "mutex", "goroutine", "threadcreate"];
const GRANULARITIES = { functions: TopGrouping.FUNCTION, lines: TopGrouping.LINE, files: TopGrouping.FILE };
const ORDERS = { flat: TopOrder.FLAT, cum: TopOrder.CUM };

interface Row {
  name: string;
  flat: number;
  cum: number;
}

let server: ServerForTest;
let folder: string;
let oracle: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-top-"));
  oracle = buildGo("oracle");
});
afterAll(() => rmSync(folder, { recursive: true }));

const transport = () => createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" });

async function push(service: string, profileType: string, profileBytes: Uint8Array): Promise<void> {
  await createClient(ProfileService, transport()).createProfile({ metadata: { service, profileType }, profileBytes });
}

async function packNow(): Promise<void> {
  const admin = createClient(AdminService, transport());
  const { operation } = await admin.pack({});
  await admin.getOperation({ id: operation!.id, maxWait: { seconds: 60n } });
}

interface Asked {
  service: string;
  granularity: keyof typeof GRANULARITIES;
  order: keyof typeof ORDERS;
  column?: { type: string; unit: string };
}

async function ours({ service, granularity, order, column }: Asked) {
  const rows: (Row & { flatShare: number; cumShare: number })[] = [];
  let unit = "";
  let packs = 0n;
  let pageToken = "";
  do {
    const page = await createClient(QueryService, transport()).listTopFunctions({
      selection: { selector: `{service=${JSON.stringify(service)}}`, interval: { startTime: { seconds: 0n } } },
      groupBy: GRANULARITIES[granularity],
      order: ORDERS[order],
      aggregation: AggregationMethod.SUM,
      pageSize: 1000,
      pageToken,
      ...(column && { sampleType: column }),
    });
    for (const { name, flat, cum, flatShare, cumShare } of page.functions) {
      rows.push({ name, flat: Number(flat), cum: Number(cum), flatShare, cumShare });
    }
    unit = page.summary!.sampleTypes[0]!.unit;
    packs = page.summary!.packs;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return { rows, unit, packs };
}

/** Files are rows of one start line each with pprof; in `file` nothing has one. */
async function theirs(file: string, { granularity, order, column }: Asked, unit: string) {
  const flags = ["-top", "-symbolize=none", "-trim=false", `-${granularity}`, `-${order}`, `-unit=${unit || "count"}`];
  if (column) flags.push(`-sample_index=${column.type}`);
  const { stdout } = await run("go", ["tool", "pprof", ...flags, file], { maxBuffer: 1 << 26 });
  const lines = stdout
    .slice(stdout.indexOf("cum%\n") + 5)
    .trimEnd()
    .split("\n");
  return lines.map((line) => {
    const [, flat, flatPercent, cum, cumPercent, name] =
      /^ *(-?[\d.]+)\S* +([\d.e+-]+)% +[\d.e+-]+% +(-?[\d.]+)\S* +([\d.e+-]+)% {2}(.*?)(?: \((?:partial-)?inline\))?$/.exec(
        line,
      )!;
    return {
      name: name!,
      flat: Number(flat),
      cum: Number(cum),
      flatShare: Number(flatPercent) / 100,
      cumShare: Number(cumPercent) / 100,
    };
  });
}

async function compare(file: string, asked: Asked): Promise<{ rows: number; packs: bigint }> {
  const mine = await ours(asked);
  const google = await theirs(asked.granularity === "files" ? withoutStartLines(file) : file, asked, mine.unit);
  const plain = (rows: readonly Row[]) => rows.map(({ name, flat, cum }) => `${name} ${flat} ${cum}`);
  expect(plain(mine.rows), JSON.stringify(asked)).toEqual(plain(google));
  for (const [at, row] of google.entries()) {
    // pprof shows shares without their sign, with two digits at least.
    expect(Math.abs(mine.rows[at]!.flatShare)).toBeCloseTo(row.flatShare, 3);
    expect(Math.abs(mine.rows[at]!.cumShare)).toBeCloseTo(row.cumShare, 3);
  }
  return { rows: mine.rows.length, packs: mine.packs };
}

function rewritten(file: string, change: (profile: ReturnType<typeof decodeProfile>) => void, out: string): string {
  const bytes = readFileSync(file);
  const profile = decodeProfile(isGzip(bytes) ? gunzipSync(bytes) : bytes);
  change(profile);
  writeFileSync(out, encodeProfile(profile));
  return out;
}

function withoutStartLines(file: string): string {
  const clear = ({ functions }: ReturnType<typeof decodeProfile>) => {
    for (const fn of functions) fn.startLine = 0n;
  };
  return rewritten(file, clear, join(folder, "no-start-lines.pb"));
}

function mergedFile(files: readonly string[]): string {
  const out = join(folder, "merged.pb.gz");
  execFileSync(oracle, ["merge", "-o", out, ...files]);
  return out;
}

const everyView = (service: string, column?: Asked["column"]): Asked[] =>
  (["functions", "lines", "files"] as const).flatMap((granularity) =>
    (["flat", "cum"] as const).map((order) => ({ service, granularity, order, ...(column && { column }) })),
  );

describe("recorded profiles of every type", () => {
  beforeAll(async () => {
    // Nothing is answered from memory: packing changes no answer.
    server = await runServer({ resultCacheBytes: 0 });
    for (const type of TYPES) {
      for (const file of filesOf(type)) await push(type, type, readFileSync(file));
    }
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const filesOf = (type: string) =>
    readdirSync(testdata("recorded"))
      .filter((name) => name.startsWith(`go-${type}-`) && name.endsWith(".pb.gz"))
      .map((name) => testdata(`recorded/${name}`));

  function views(type: string): Asked[] {
    const { sampleTypes } = decodeProfile(gunzipSync(readFileSync(mergedFile(filesOf(type)))));
    return [undefined, ...sampleTypes].flatMap((column) => everyView(type, column));
  }

  const loose = new Map<string, unknown>();

  test("are ranked as pprof ranks them, each column by functions, lines and files", async () => {
    let rows = 0;
    for (const type of TYPES) {
      const merged = mergedFile(filesOf(type));
      for (const asked of views(type)) {
        const found = await compare(merged, asked);
        expect(found.packs).toBe(0n);
        rows += found.rows;
        loose.set(JSON.stringify(asked), (await ours(asked)).rows);
      }
    }
    expect(rows).toBeGreaterThan(1000);
  });

  test("and out of packs they are the same", async () => {
    await packNow();
    for (const type of TYPES) {
      for (const asked of views(type)) {
        const { rows, packs } = await ours(asked);
        expect(packs).toBe(BigInt(filesOf(type).length));
        expect(rows).toEqual(loose.get(JSON.stringify(asked)));
      }
    }
  });
});

describe("other profiles", () => {
  beforeAll(async () => {
    server = await runServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("of every writer are ranked as pprof ranks them", async () => {
    const names = readdirSync(testdata("written")).filter((name) => name.endsWith(".pb.gz"));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      const file = testdata(`written/${name}`);
      await push(name, "other", readFileSync(file));
      for (const asked of everyView(name)) await compare(file, asked);
    }
  });

  test("in legacy formats are too, frames that they drop left out", async () => {
    const names = [
      "gperftools-cpu-64-little.prof",
      "gperftools-heap.txt",
      "gperftools-contention.txt",
      "java-cpu.prof",
      "java-heap.txt",
    ];
    for (const name of names) {
      const file = testdata(`legacy/${name}`);
      await push(name, "other", readFileSync(file));
      for (const asked of everyView(name).filter(({ granularity }) => granularity !== "files"))
        await compare(file, asked);
    }
  });

  test("a profile that says which frames to drop is ranked without them", async () => {
    const drop = (profile: ReturnType<typeof decodeProfile>) => {
      profile.dropFrames = "runtime\\..*|compress/flate\\..*";
      profile.keepFrames = "runtime\\.main";
    };
    const file = rewritten(testdata("recorded/go-allocs-1.pb.gz"), drop, join(folder, "drop.pb"));
    await push("drop", "allocs", readFileSync(file));
    for (const asked of everyView("drop")) expect((await compare(file, asked)).rows).toBeGreaterThan(3);
  });

  test("negative values are ranked by their size, and their shares are of absolute values", async () => {
    const negate = (profile: ReturnType<typeof decodeProfile>) => {
      for (const [at, { values }] of profile.samples.entries()) {
        if (at % 3 === 0) for (const [column, value] of values.entries()) values[column] = -value;
      }
    };
    const file = rewritten(testdata("recorded/go-cpu-1.pb.gz"), negate, join(folder, "negative.pb"));
    await push("negative", "cpu", readFileSync(file));
    const merged = mergedFile([file]);
    for (const asked of everyView("negative")) await compare(merged, asked);
  });
});
