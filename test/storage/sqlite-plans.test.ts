// SQLite's plans for every statement of the catalog: which index, no sorting where an index gives the order, no scan of all profiles.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { parseSelector } from "../../src/model/selector.ts";
import { resolveSelection } from "../../src/storage/resolved-selection.ts";
import { SeriesIndex } from "../../src/storage/series-index.ts";
import { insertMessage } from "../../src/storage/sqlite/insert-message.ts";
import { migrate } from "../../src/storage/sqlite/migrations.ts";
import { openDatabase } from "../../src/storage/sqlite/open-database.ts";
import { CatalogReader } from "../../src/storage/sqlite/reader.ts";
import { applySnapshot } from "../../src/storage/sqlite/snapshot.ts";
import { CatalogWriter } from "../../src/storage/sqlite/writer.ts";
import { BASE_NS, label, newProfile } from "../support/catalog-profile.ts";

let folder: string;
let database: Database;
let reader: CatalogReader;
let writer: CatalogWriter;
/** Every text that was prepared since it was emptied. */
const prepared: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "profusion-plans-"));
  database = openDatabase(join(folder, "catalog.db"), "writer");
  migrate(database);
  const prepare = database.prepare.bind(database);
  database.prepare = ((sql: string) => {
    prepared.push(sql);
    return prepare(sql);
  }) as Database["prepare"];
  writer = new CatalogWriter(database);
  const profiles = Array.from({ length: 3_000 }, (_, nth) =>
    newProfile({
      second: nth,
      service: `s${nth % 9}`,
      labels: [label("nth", `${nth}`), label("mod", `${nth % 2}`)],
      requestId: `r${nth}`,
      submitter: "me",
      timeSource: nth % 3 ? "profile" : "receipt",
    }),
  );
  writer.insertAll([insertMessage(profiles)]);
  reader = new CatalogReader(database, DEFAULT_LIMITS, 100);
});
afterAll(async () => {
  database.close();
  await rm(folder, { recursive: true });
});

/** What `use` makes SQLite do: one line per step of each statement. */
async function plansOf(use: () => unknown): Promise<string[]> {
  prepared.length = 0;
  await use();
  const statements = [...prepared];
  return statements.flatMap((sql) => {
    const names = [...sql.matchAll(/@(\w+)/g)].map(([, name]) => [name!, null]);
    const explain = database.prepare(`EXPLAIN QUERY PLAN ${sql}`);
    const rows =
      names.length > 0
        ? explain.all(Object.fromEntries(names))
        : explain.all(...[...sql.matchAll(/\?/g)].map(() => null));
    return (rows as { detail: string }[]).map(({ detail }) => detail);
  });
}

async function pagePlans(text: string, order: "newest" | "oldest" = "newest", limit = 10): Promise<string[]> {
  const index = new SeriesIndex(DEFAULT_LIMITS);
  applySnapshot(index, reader.snapshot(), reader.extents());
  const selection = await resolveSelection(index, parseSelector(text, DEFAULT_LIMITS), {
    limits: DEFAULT_LIMITS,
    matchElsewhere: async () => new Uint32Array(),
    needsSeries: false,
  });
  const fresh = new CatalogReader(database, DEFAULT_LIMITS, 100);
  return plansOf(() => fresh.page({ selection, order, limit, maxSeq: 1e9 }));
}

const BY_ID = "SEARCH k USING COVERING INDEX profile_by_id (profile_id>? AND profile_id<?)";
const ROW = "SEARCH p USING PRIMARY KEY (service_id=? AND type_id=? AND profile_id=?)";
const GROUP = "SEARCH p USING PRIMARY KEY (service_id=? AND type_id=? AND profile_id>? AND profile_id<?)";

describe("a page", () => {
  test.each(["newest", "oldest"] as const)("of everything walks the ids, %s first, without sorting", async (order) => {
    expect(await pagePlans("{}", order)).toEqual(expect.arrayContaining([BY_ID, ROW]));
    expect((await pagePlans("{}", order)).join()).not.toMatch(/TEMP B-TREE|SCAN/);
  });

  test("of one service and type walks its primary key without sorting", async () => {
    expect((await pagePlans('cpu{service="s3"}')).filter((line) => !line.includes("submitter"))).toEqual([GROUP]);
  });

  test("of many series in one group walks its primary key, though an index over series exists", async () => {
    const plans = await pagePlans('cpu{service="s3",nth!="1"}');
    expect(plans).toContain(GROUP);
    expect(plans.join()).not.toMatch(/TEMP B-TREE|SCAN|profile_by_series/);
  });

  test("of many series in many groups walks the ids without sorting", async () => {
    const plans = await pagePlans('{mod="1"}');
    expect(plans).toEqual(expect.arrayContaining([BY_ID, ROW]));
    expect(plans.join()).not.toMatch(/TEMP B-TREE|SCAN|profile_by_series/);
  });

  test("of a few profiles gathers from the index over series, in one statement", async () => {
    const plans = await pagePlans('{nth="5"}');
    expect(plans).toContain(
      "SEARCH k USING COVERING INDEX profile_by_series (series_id=? AND profile_id>? AND profile_id<?)",
    );
    expect(plans).toContain(ROW);
    expect(plans).not.toContain(BY_ID);
  });
});

test("an insert, a retry, a relocation and a deletion find their rows by key", async () => {
  const profile = newProfile({
    second: 7,
    timeSource: "receipt",
    requestId: "fresh",
    labels: [label("brand", "new")],
    sampleLabelKeys: ["k"],
    submitter: "you",
  });
  const locator = { segmentId: 1, offset: 1, sizeBytes: 1 };
  const plans = await plansOf(() => {
    const fresh = new CatalogWriter(database);
    fresh.insertAll([insertMessage([profile])]);
    fresh.insertAll([insertMessage([profile])]);
    fresh.relocate({ ids: [profile.id], to: [locator] });
    const window = {
      serviceId: 1,
      typeId: 1,
      shapeId: 1,
      level: "hour" as const,
      startNs: BASE_NS,
      endNs: BASE_NS + 1n,
    };
    fresh.setAside([profile.id]);
    const { runId } = fresh.beginPack({ ...window, seqFrom: 1 });
    const packs = [{ packId: fresh.nextPackId(), profiles: 1, sizeBytes: 1 }];
    const { setId } = fresh.switchPackSet({ runId, packs, seqs: Float64Array.of(1), replaces: [] });
    fresh.settlePackSet({ setId: setId!, release: true });
    fresh.releaseOriginals([profile.id]);
    fresh.delete([profile.id]);
    fresh.forgetSegment(99);
  });
  expect(plans.join("\n")).not.toMatch(/SCAN (?!CONSTANT)/);
  expect(plans).toContain(
    "SEARCH p USING INDEX profile_by_receipt (digest=? AND series_id=? AND received_ns>? AND received_ns<?)",
  );
});

test("policies, releases and channels are found by key, and releases listed without sorting", async () => {
  const digest = new Uint8Array(32);
  const release = {
    ...{ service: "s", name: "r", createdNs: 1n, digest, sizeBytes: 1, storedDigest: digest, inputsDigest: digest },
    ...{ manifestDigest: digest, verdict: "good" as const, objectId: "o" },
  };
  const plans = await plansOf(() => {
    const writing = new CatalogWriter(database);
    writing.pgo({ method: "putPolicy", argument: { service: "s", name: "p", policy: "{}" } });
    writing.pgo({ method: "removePolicy", argument: { service: "s", name: "p" } });
    writing.pgo({ method: "beginRelease", argument: "o" });
    writing.pgo({ method: "insertRelease", argument: release });
    const move = { service: "s", channel: "c", release: "r", movedNs: 1n, mostChannels: 9 };
    writing.pgo({ method: "moveChannel", argument: move });
    const reading = new CatalogReader(database, DEFAULT_LIMITS, 100);
    reading.pgo({ method: "policies", argument: "s" });
    reading.pgo({ method: "policy", argument: { service: "s", name: "p" } });
    reading.pgo({ method: "release", argument: { service: "s", name: "c" } });
    reading.pgo({ method: "releases", argument: { service: "s", limit: 5 } });
    reading.pgo({ method: "releases", argument: { service: "s", limit: 5, after: { createdNs: 1n, name: "r" } } });
    reading.pgo({ method: "channels", argument: "s" });
  });
  expect(plans.join("\n")).not.toMatch(/TEMP B-TREE|SCAN (?!CONSTANT)/);
  expect(plans).toContain("SEARCH release USING INDEX release_by_time (service=? AND (created_ns,name)<(?,?))");
});

test("what covers a merge is read by the sets' windows and the loose rows, and never by packed ones", async () => {
  const selection = {
    groups: [{ serviceId: 1, typeId: 1, rows: 100 }],
    seq: 1e9,
    everything: false,
    seriesCount: 1,
    rows: 100,
    totalRows: 3000,
    firstMs: 0,
    lastMs: Number.POSITIVE_INFINITY,
  };
  const interval = { startNs: BASE_NS, endNs: BASE_NS + 1_000n };
  const plans = await plansOf(() => {
    const fresh = new CatalogReader(database, DEFAULT_LIMITS, 100);
    fresh.coverage({ selection, interval, maxSeq: 1e9, limit: 10 });
    fresh.coverageFingerprint({ selection, interval, maxSeq: 1e9 });
    fresh.looseHours(undefined);
    fresh.packRows({ serviceId: 1, typeId: 1, shapeId: 1, level: "hour", ...interval, seqFrom: 1, coversSeq: 9 });
  });
  expect(plans.join("\n")).not.toMatch(
    /SCAN (?!CONSTANT|p$|\(subquery|profile USING (COVERING )?INDEX profile_loose|pack_set USING)/m,
  );
  expect(plans.join("\n")).toMatch(/SEARCH profile USING COVERING INDEX profile_loose/);
  expect(plans.join("\n")).toMatch(/SEARCH s USING INDEX pack_set_by_window/);
});

test("reads of one profile, a segment, counts and times never scan all profiles", async () => {
  const interval = { startNs: BASE_NS + 1n, endNs: BASE_NS + 5n };
  const seriesIds = Uint32Array.of(1, 2);
  const plans = await plansOf(() => {
    const fresh = new CatalogReader(database, DEFAULT_LIMITS, 100);
    fresh.get({ ids: [new Uint8Array(16)], maxSeq: 1 });
    fresh.mergeByIds({ ids: ["00".repeat(16)], maxSeq: 1 });
    fresh.profilesInSegment({ segmentId: 1, limit: 1 });
    fresh.seriesCounts({ seriesIds, interval });
    fresh.seriesTimes({ seriesIds });
    fresh.matchValues({ name: "nth", pattern: "1.*", afterLabelId: 0, lastLabelId: 10 });
  });
  expect(plans.join("\n")).not.toMatch(/SCAN (?!j VIRTUAL)/);
});

test("usage reads one row for each service and type, the ends of their profiles, and their packs", async () => {
  const plans = await plansOf(() => new CatalogReader(database, DEFAULT_LIMITS, 100).usage());
  expect(plans).toContain("SEARCH p USING PRIMARY KEY (service_id=? AND type_id=?)");
  expect(plans).toContain("SEARCH s USING COVERING INDEX pack_set_by_window (service_id=? AND type_id=?)");
  expect(plans.join("\n")).not.toMatch(/SCAN (?!u$)|TEMP B-TREE/m);
});
