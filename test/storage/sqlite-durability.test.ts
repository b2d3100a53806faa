// What only the SQLite catalog promises: its settings, its versions, what survives closing it, and how commits are joined.

import { existsSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { EVERYTHING } from "../../src/model/selector.ts";
import { openSqliteCatalog, type SqliteCatalog } from "../../src/storage/sqlite/catalog.ts";
import { insertMessage } from "../../src/storage/sqlite/insert-message.ts";
import { MIGRATIONS, migrate } from "../../src/storage/sqlite/migrations.ts";
import { openDatabase } from "../../src/storage/sqlite/open-database.ts";
import { CatalogWriter } from "../../src/storage/sqlite/writer.ts";
import { label, newProfile } from "../support/catalog-profile.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "profusion-durability-"));
});
afterEach(() => rm(folder, { recursive: true }));

const open = () => openSqliteCatalog({ folder, limits: DEFAULT_LIMITS }) as Promise<SqliteCatalog>;
const path = () => join(folder, "catalog.db");

describe("openSqliteCatalog()", () => {
  test("keeps synchronous=FULL on every connection, read back after a write", async () => {
    await using catalog = await open();
    await catalog.insert([newProfile()]);
    expect(await catalog.synchronous()).toEqual([2, 2, 2]);
  });

  test("uses WAL without automatic checkpoints", () => {
    const database = openDatabase(path(), "writer");
    expect(database.pragma("journal_mode", { simple: true })).toBe("wal");
    expect(database.pragma("wal_autocheckpoint", { simple: true })).toBe(0);
    database.close();
  });

  test("creates its folder, and leaves one file when it is closed", async () => {
    const inner = join(folder, "a", "b");
    const catalog = await openSqliteCatalog({ folder: inner, limits: DEFAULT_LIMITS });
    await catalog.insert([newProfile()]);
    await catalog[Symbol.asyncDispose]();
    const log = join(inner, "catalog.db-wal");
    expect(existsSync(log) && statSync(log).size > 0).toBe(false);
  });

  test("finds after reopening what it acknowledged, and goes on counting", async () => {
    const profiles = [1, 2, 3].map((second) =>
      newProfile({
        second,
        labels: [label("zone", "b"), label("zone", "a"), label("app", `${second}`)],
        requestId: `r${second}`,
      }),
    );
    const first = await open();
    const outcomes = await first.insert(profiles);
    await first.delete([outcomes[2]!.record.id]);
    const asked = async (catalog: SqliteCatalog) => ({
      found: await catalog.find({ selector: EVERYTHING, order: "newest", limit: 10 }),
      series: await catalog.series({ selector: EVERYTHING, prefix: "", limit: 10 }),
      statistics: await catalog.statistics(),
    });
    const before = await asked(first);
    await first[Symbol.asyncDispose]();

    await using second = await open();
    expect(await asked(second)).toEqual(before);
    const [byId, byRequest, fresh] = await second.insert([
      profiles[0]!,
      newProfile({ second: 9, requestId: "r2" }),
      newProfile({ second: 8 }),
    ]);
    expect([byId, byRequest].map((outcome) => outcome!.record)).toEqual(
      outcomes.slice(0, 2).map(({ record }) => record),
    );
    // The highest position belonged to the deleted profile; it is not given twice.
    expect(fresh!.record.seq).toBe(4);
  });

  test("recognises a retry without a time of its own after reopening", async () => {
    const receipt = { timeSource: "receipt" as const, content: "same" };
    const first = await open();
    const [stored] = await first.insert([newProfile({ ...receipt, receivedNs: 1_790_000_000_000_000_000n })]);
    await first[Symbol.asyncDispose]();
    await using second = await open();
    const [retry] = await second.insert([
      newProfile({ ...receipt, second: 60, receivedNs: 1_790_000_060_000_000_000n }),
    ]);
    expect(retry).toEqual({ record: stored!.record, alreadyExisted: true });
  });

  test("answers unavailable for a file that is no database", async () => {
    await writeFile(path(), "not a database, but long enough to look at".repeat(100));
    await expect(open()).rejects.toMatchObject({ kind: "unavailable" });
  });

  test("answers unavailable once it is closed", async () => {
    const catalog = await open();
    await catalog.insert([newProfile()]);
    await catalog[Symbol.asyncDispose]();
    await expect(catalog.insert([newProfile()])).rejects.toMatchObject({ kind: "unavailable" });
    await expect(catalog.find({ selector: EVERYTHING, order: "newest", limit: 1 })).rejects.toMatchObject({
      kind: "unavailable",
    });
  });

  test("answers what was asked before it was closed", async () => {
    const catalog = await open();
    const inserted = catalog.insert([newProfile()]);
    await catalog[Symbol.asyncDispose]();
    expect(await inserted).toHaveLength(1);
  });
});

describe("migrate()", () => {
  test("brings a file of every earlier version to the newest schema", () => {
    const schemaOf = (database: SqliteDatabase.Database) =>
      database.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name").all();
    const fresh = new SqliteDatabase(":memory:");
    migrate(fresh);
    for (let version = 0; version < MIGRATIONS.length; version++) {
      const old = new SqliteDatabase(":memory:");
      migrate(old, MIGRATIONS.slice(0, version));
      expect(old.pragma("user_version", { simple: true })).toBe(version);
      migrate(old);
      expect(old.pragma("user_version", { simple: true })).toBe(MIGRATIONS.length);
      expect(schemaOf(old)).toEqual(schemaOf(fresh));
    }
  });

  test("keeps the rows that an earlier version wrote", () => {
    const database = new SqliteDatabase(":memory:");
    migrate(database);
    database.exec("INSERT INTO type (name) VALUES ('cpu')");
    migrate(database, [...MIGRATIONS, "ALTER TABLE type ADD COLUMN note TEXT"]);
    expect(database.prepare("SELECT name, note FROM type").all()).toEqual([{ name: "cpu", note: null }]);
  });

  test("tells what the columns of shapes are that were stored before it was said", () => {
    const old = new SqliteDatabase(":memory:");
    migrate(old, MIGRATIONS.slice(0, 2));
    const columns = { goroutine: ["goroutine", "count"], heap: ["alloc_space", "bytes"], cpu: ["cpu", "nanoseconds"] };
    for (const column of Object.values(columns)) {
      old.prepare("INSERT INTO shape (signature) VALUES (?)").run(JSON.stringify([column, [column]]));
    }
    migrate(old);
    const signatures = old.prepare("SELECT signature FROM shape ORDER BY shape_id").pluck().all() as string[];
    expect(signatures.map((signature) => JSON.parse(signature))).toEqual([
      [columns.goroutine, [[...columns.goroutine, "gauge"]]],
      [columns.heap, [[...columns.heap, "cumulative"]]],
      [columns.cpu, [columns.cpu]],
    ]);
  });

  test("counts once what there is of each service and type, in a file that kept no count", () => {
    const database = new SqliteDatabase(":memory:");
    migrate(database);
    const writer = new CatalogWriter(database);
    const gone = newProfile({ second: 1 });
    writer.insertAll([insertMessage([gone, newProfile({ second: 2 }), newProfile({ type: "heap" })])]);
    writer.delete([gone.id]);
    database.exec("UPDATE profile SET segment_id = 0 WHERE type_id = 2");
    const kept = "SELECT profiles, sent_bytes FROM usage ORDER BY service_id, type_id";
    const counts = database.prepare(kept).all();
    database.exec("DROP TABLE usage");
    const counting = MIGRATIONS.findIndex((migration) => migration.includes("CREATE TABLE usage"));
    database.pragma(`user_version = ${counting}`);
    migrate(database, MIGRATIONS.slice(0, counting + 1));
    expect(database.prepare(kept).all()).toEqual(counts);
    expect(database.prepare("SELECT original_bytes FROM usage ORDER BY type_id").pluck().all()).toEqual([900, 0]);
  });

  test("leaves a file as it was when a migration fails", () => {
    const database = new SqliteDatabase(":memory:");
    expect(() => migrate(database, ["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"])).toThrow(
      "already exists",
    );
    expect(database.pragma("user_version", { simple: true })).toBe(1);
    expect(database.prepare("SELECT name FROM sqlite_schema").pluck().all()).toEqual(["a"]);
  });

  test("refuses a newer catalog, naming both versions", async () => {
    const database = openDatabase(path(), "writer");
    migrate(database);
    database.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    database.close();
    await expect(open()).rejects.toMatchObject({
      kind: "conflict",
      message: expect.stringContaining(
        `it has version ${MIGRATIONS.length + 1}, this program knows versions up to ${MIGRATIONS.length}`,
      ),
    });
  });
});

describe("CatalogWriter.insertAll()", () => {
  let database: SqliteDatabase.Database;
  let writer: CatalogWriter;
  beforeEach(() => {
    database = openDatabase(path(), "writer");
    migrate(database);
    writer = new CatalogWriter(database);
  });
  afterEach(() => void database.close());
  const count = () => database.prepare("SELECT count(*) FROM profile").pluck().get();

  test("commits several batches together, in order", () => {
    const answers = writer.insertAll(
      [1, 2].map((second) => insertMessage([newProfile({ second }), newProfile({ second: second + 10 })])),
    );
    expect(answers.map((answer) => ("error" in answer ? answer : [...answer.seqs]))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(count()).toBe(4);
  });

  test("fails the batch that cannot be written, and only that, leaving nothing of it", () => {
    const bad = insertMessage([
      newProfile({ second: 1, labels: [label("new", "1")] }),
      newProfile({ second: 2, durationNs: 2n ** 63n }),
    ]);
    const good = [3, 4].map((second) => insertMessage([newProfile({ second, labels: [label("kept", `${second}`)] })]));
    const answers = writer.insertAll([good[0]!, bad, good[1]!]);
    expect(answers.map((answer) => "error" in answer)).toEqual([false, true, false]);
    expect(answers.flatMap((answer) => ("error" in answer ? [] : [...answer.seqs]))).toEqual([1, 2]);
    expect(count()).toBe(2);
    expect(database.prepare("SELECT name FROM label ORDER BY value").pluck().all()).toEqual(["kept", "kept"]);
    // Nothing of the failed commit lingers in memory either.
    expect(
      writer.insertAll([insertMessage([newProfile({ second: 5, labels: [label("new", "1")] })])])[0],
    ).toMatchObject({
      names: { labels: [[3, "new", "1"]] },
    });
  });

  test("clears expired request ids away as new ones come", () => {
    const day = 86_400n * 1_000_000_000n;
    const at = (nth: number, receivedNs: bigint) =>
      insertMessage([newProfile({ second: nth, requestId: `r${nth}`, receivedNs })]);
    for (let nth = 0; nth < 5; nth++) writer.insertAll([at(nth, BigInt(nth))]);
    writer.insertAll([at(9, day + 3n)]);
    expect(database.prepare("SELECT request_id FROM request ORDER BY 1").pluck().all()).toEqual(["r3", "r4", "r9"]);
  });

  test("remembers the keys of sample labels once per series", () => {
    const of = (...sampleLabelKeys: string[]) => insertMessage([newProfile({ sampleLabelKeys })]);
    writer.insertAll([of("thread", "span"), of("thread"), of("thread", "span"), of("endpoint")]);
    expect(database.prepare("SELECT name FROM sample_label_key ORDER BY name").pluck().all()).toEqual([
      "endpoint",
      "span",
      "thread",
    ]);
  });
});
