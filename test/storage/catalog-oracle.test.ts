// Random operations on the SQLite catalog against the naive one: the same answers to the same questions, reopened now and then.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Label } from "../../src/model/labels.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import type { Matcher, MatchOperator } from "../../src/model/matcher.ts";
import { formatProfileId, parseProfileId } from "../../src/model/profile-id.ts";
import type { Selector } from "../../src/model/selector.ts";
import type { Interval } from "../../src/model/time.ts";
import type { Catalog, Coverage, MergeInputs, NewProfile, SelectionStrategy } from "../../src/storage/catalog.ts";
import { openMemoryCatalog } from "../../src/storage/memory/catalog.ts";
import type { PackRows, PackSet } from "../../src/storage/pack-catalog.ts";
import { openSqliteCatalog } from "../../src/storage/sqlite/catalog.ts";
import { BASE_NS, newProfile } from "../support/catalog-profile.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const STEPS = Number(process.env.STEPS ?? 400);
const NAMES = ["a", "b", "c", "pod", "instance"];
const VALUES = ["", "1", "2", "x1", "x2", "ä"];
const PATTERNS = ["x.", ".*", ".+", "1|2", "", "x1|", "[^x].*", "nothing"];
const OPERATORS: MatchOperator[] = ["=", "!=", "=~", "!~"];
const SHAPES = [["cpu"], ["samples", "cpu"], ["a", "b", "c", "d", "e", "cpu"], ["alloc"]].map((columns) => ({
  columns: columns.map((type) => ({ type, unit: "count" })),
  periodType: { type: "", unit: "" },
}));

/** Few places in time, so that many profiles share a millisecond. */
function randomTime(random: Random): bigint {
  return BASE_NS + BigInt(random.between(0, 40)) * 500_000_000n + BigInt(random.between(0, 3)) * 499_999n;
}

function randomInterval(random: Random): Interval | undefined {
  if (random.chance(0.4)) return undefined;
  const [a, b] = [randomTime(random), randomTime(random)];
  return random.chance(0.9) && a > b ? { startNs: b, endNs: a } : { startNs: a, endNs: b };
}

function randomProfile(random: Random): NewProfile {
  const labels = new Map<string, Label>();
  for (let nth = random.between(0, 4); nth > 0; nth--) {
    const [name, value] = [random.pick(NAMES), random.pick(VALUES)];
    labels.set(`${name} ${value}`, { name, value });
  }
  if (random.chance(0.3)) labels.set("rare", { name: "rare", value: `r${random.between(0, 200)}` });
  const shape = random.chance(0.1) ? null : random.pick(SHAPES);
  const isReceipt = random.chance(0.2);
  const timeNs = randomTime(random);
  return newProfile({
    service: random.pick(["auth", "billing", "päth/1", "s4", "s5"]),
    type: random.pick(["cpu", "heap", "trace"]),
    labels: [...labels.values()],
    timeNs,
    timeSource: isReceipt ? "receipt" : "profile",
    receivedNs: isReceipt ? timeNs : timeNs + BigInt(random.between(0, 1e9)),
    content: `${random.between(0, isReceipt ? 3 : 100_000)}`,
    shape,
    totals: shape ? shape.columns.map(() => random.int64()) : [],
    locator: { segmentId: random.between(1, 4), offset: random.between(0, 1e9), sizeBytes: random.between(1, 5000) },
    ...(random.chance(0.2) && { requestId: `r${random.between(0, 50)}` }),
    ...(random.chance(0.5) && { submitter: `10.0.0.${random.between(0, 4)}` }),
    ...(random.chance(0.2) && { externalId: `e${random.between(0, 50)}` }),
  });
}

function randomMatcher(random: Random, name: string, values: readonly string[]): Matcher {
  const operator = random.pick(OPERATORS);
  const value = operator.endsWith("~") ? random.pick(PATTERNS) : random.pick(values);
  return { name, operator, value, ...(random.chance(0.2) && { mustExist: true as const }) };
}

function randomSelector(random: Random): Selector {
  const some = (probability: number, make: () => Matcher) => (random.chance(probability) ? [make()] : []);
  const labels = Array.from({ length: random.pick([0, 0, 1, 1, 2, 3]) }, () => {
    if (random.chance(0.15)) return { name: "rare", operator: "=" as const, value: `r${random.between(0, 200)}` };
    return randomMatcher(random, random.pick([...NAMES, "absent"]), VALUES);
  });
  return {
    services: some(0.4, () => randomMatcher(random, "service", ["auth", "billing", "s4", "nobody"])),
    types: some(0.3, () => randomMatcher(random, "type", ["cpu", "heap"])),
    labels,
  };
}

/** Shape ids are each driver's own. */
function comparable({ inputs, shapes, matched, sets }: MergeInputs) {
  return { matched, ...comparableInputs({ inputs, shapes }), sets: comparableSets(sets) };
}

function comparableInputs({ inputs, shapes }: Pick<MergeInputs, "inputs" | "shapes">) {
  return {
    inputs: inputs.map(({ id, timeNs, digest, shapeId, seq, locator }) => ({
      id,
      timeNs,
      digest,
      shape: shapes.get(shapeId),
      seq,
      locator,
    })),
  };
}

function comparableCoverage({ loose, sets, ...inputs }: Coverage) {
  return { loose, sets: comparableSets(sets), ...comparableInputs(inputs) };
}

/** A set's number is each driver's own, since one may have failed to make it. */
function comparableSets(sets: readonly PackSet[]) {
  return sets
    .map(({ serviceId, typeId, shapeId, setId, ...set }) => ({ ...set }))
    .sort((a, b) => a.packs[0]!.packId - b.packs[0]!.packId);
}

/** The order of series is each driver's own. */
function comparableRows(rows: PackRows) {
  const all = Array.from({ length: rows.count }, (_, at) => ({
    id: Buffer.from(rows.ids.subarray(at * 16, at * 16 + 16)).toString("hex"),
    digest: Buffer.from(rows.digests.subarray(at * 32, at * 32 + 32)).toString("hex"),
    timeNs: rows.timesNs[at],
    receivedNs: rows.receivedNs[at],
    seq: rows.seqs[at],
    labels: rows.labelSets[rows.series[at]!],
    locator: [...rows.locators.subarray(at * 3, at * 3 + 3)],
  }));
  for (let at = 1; at < all.length; at++) {
    if (rows.series[at] === rows.series[at - 1]) {
      const [a, b] = [all[at - 1]!, all[at]!];
      expect(a.timeNs! < b.timeNs! || (a.timeNs === b.timeNs && a.id < b.id)).toBe(true);
    }
  }
  return all.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** As the names behind its ids, which are each driver's own. */
async function namedHours(catalog: Catalog) {
  const hours = (await catalog.looseHours()).map(({ serviceId, typeId, shapeId, ...hour }) => ({
    ...catalog.packNames({ serviceId, typeId, shapeId }),
    ...hour,
  }));
  const key = (hour: object) => JSON.stringify(hour, (_, value) => (typeof value === "bigint" ? `${value}` : value));
  return hours.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

test(`SQLite answers ${STEPS} random steps as plain arrays do (SEED=${SEED})`, { timeout: 600_000 }, async () => {
  const random = new Random(SEED);
  const folder = await mkdtemp(join(tmpdir(), "profusion-oracle-"));
  const open = () => openSqliteCatalog({ folder, limits: DEFAULT_LIMITS, chunkRows: 7 });
  const naive = openMemoryCatalog({ limits: DEFAULT_LIMITS });
  let catalog = await open();
  const ids: string[] = [];
  const someIds = () => Array.from({ length: random.between(1, 8) }, () => random.pick([...ids, "0".repeat(26)]));

  const both = async <Answer>(ask: (either: Catalog) => Promise<Answer>, what: () => unknown) => {
    const [actual, expected] = [await ask(catalog), await ask(naive)];
    expect(
      actual,
      JSON.stringify(what(), (_, value) => (typeof value === "bigint" ? `${value}` : value)),
    ).toEqual(expected);
    return actual;
  };

  const steps: Record<string, () => Promise<unknown>> = {
    insert: async () => {
      const batch = Array.from({ length: random.between(1, 30) }, () => randomProfile(random));
      if (random.chance(0.2)) batch.push(random.pick(batch));
      ids.push(...batch.map(({ id }) => formatProfileId(id)));
      await both(
        (either) => either.insert(batch),
        () => "insert",
      );
    },
    get: () => {
      const wanted = someIds();
      return both(
        (either) => either.get(wanted),
        () => wanted,
      );
    },
    find: () => {
      const interval = randomInterval(random);
      const query = {
        selector: randomSelector(random),
        order: random.pick(["newest", "oldest"] as const),
        limit: random.pick([1, 3, 10, 1000]),
        ...(interval && { interval }),
        ...(random.chance(0.4) && { afterId: random.pick([...ids, "0".repeat(26)]) }),
        ...(random.chance(0.2) && { maxSeq: random.between(1, 500) }),
      };
      return both(
        (either) => either.find(query),
        () => query,
      );
    },
    mergeInputs: () => {
      const interval = randomInterval(random);
      const strategy = random.pick<SelectionStrategy>(["newest", "spread", "most_cpu"]);
      const query = {
        selector: randomSelector(random),
        limit: random.pick([1, 5, 40, 10_000]),
        strategy,
        ...(interval && { interval }),
      };
      return both(
        async (either) => comparable(await either.mergeInputs(query)),
        () => query,
      );
    },
    mergeInputsByIds: () => {
      const wanted = someIds();
      return both(
        async (either) => comparable(await either.mergeInputsByIds(wanted)),
        () => wanted,
      );
    },
    count: () => {
      const [selector, interval] = [randomSelector(random), randomInterval(random)];
      return both(
        (either) => either.count(selector, interval),
        () => ({ selector, interval }),
      );
    },
    list: () => {
      const interval = randomInterval(random);
      const query = {
        selector: randomSelector(random),
        prefix: random.pick(["", "", "a", "r1"]),
        limit: random.pick([1, 3, 1000]),
        ...(interval && { interval }),
      };
      const named = { ...query, ...(random.chance(0.3) && { after: random.pick(["a", "b", "r100", "x1"]) }) };
      const name = random.pick([...NAMES, "rare"]);
      return both(
        async (either) => ({
          services: await either.services(named),
          types: await either.types(named),
          names: await either.labelNames(named),
          values: await either.labelValues(name, named),
          series: await either.series(query),
        }),
        () => ({ named, name }),
      );
    },
    delete: () => {
      const wanted = someIds();
      return both(
        (either) => either.delete(wanted),
        () => wanted,
      );
    },
    deleteSelection: () => {
      const [selector, interval, maxSeq] = [randomSelector(random), randomInterval(random), random.between(1, 3000)];
      return both(
        (either) => either.deleteSelection(selector, interval, maxSeq, 5),
        () => ({ selector, interval, maxSeq }),
      );
    },
    relocate: () => {
      const moves = [...new Set(someIds())].map((id) => ({
        id,
        to: { segmentId: random.between(5, 6), offset: random.between(0, 1e9), sizeBytes: 77 },
      }));
      return both(
        (either) => either.relocate(moves),
        () => moves,
      );
    },
    segments: () => {
      const segmentId = random.between(1, 6);
      return both(
        async (either) => ({
          segments: await either.segments(),
          ends: [...(await either.segmentEnds())].sort((a, b) => a[0] - b[0]),
          inside: await either.profilesInSegment(segmentId, 1000),
          statistics: await either.statistics(),
        }),
        () => segmentId,
      );
    },
    coverage: () => {
      const interval = randomInterval(random);
      const query = {
        selector: randomSelector(random),
        limit: random.pick([5, 10_000]),
        ...(interval && { interval }),
      };
      return both(
        async (either) => {
          const coverage = await either.coverage(query);
          expect(await either.coverageFingerprint(query)).toBe(coverage.fingerprint);
          return comparableCoverage(coverage);
        },
        () => query,
      );
    },
    loose: () =>
      both(
        async (either) => ({
          hours: await namedHours(either),
          statistics: await either.packStatistics(),
          usage: await either.usage(),
        }),
        () => "loose",
      ),
    pack: async () => {
      const hours = await namedHours(naive);
      if (hours.length === 0) return;
      const { service, type, shape } = random.pick(hours);
      const lengthNs = random.pick([7_000_000_000n, 40_000_000_000n, 80_000_000_000n]);
      const startNs = BASE_NS + BigInt(random.between(0, 3)) * lengthNs;
      const deleted = random.chance(0.5) ? someIds() : [];
      const aside = random.chance(0.3) ? someIds() : [];
      const release = random.chance(0.7);
      const stops = random.chance(0.2);
      const level = random.pick(["hour", "day"] as const);
      const replaced = random.chance(0.5);
      const seed = random.between(0, 1e9);
      await both(
        async (either) => {
          const choice = new Random(seed);
          const own = (await either.looseHours()).find((hour) => {
            const names = either.packNames(hour);
            return (
              names.service === service && names.type === type && JSON.stringify(names.shape) === JSON.stringify(shape)
            );
          })!;
          const { serviceId, typeId, shapeId } = own;
          const key = { serviceId, typeId, shapeId };
          const window = { startNs, endNs: startNs + lengthNs };
          const overlapping = await either.packSets({ key, ...window });
          const replaces = replaced
            ? overlapping.filter((set) => set.startNs >= window.startNs && set.endNs <= window.endNs)
            : [];
          const kept = overlapping.filter((set) => !replaces.includes(set));
          const seqFrom = 1 + Math.max(0, ...kept.map(({ coversSeq }) => coversSeq));
          const run = await either.beginPack({ ...key, level, ...window, seqFrom });
          const rows = await either.packRows(run.runId);
          await either.setAside(aside.map((id) => parseProfileId(id)!).filter((id) => id !== undefined));
          await either.delete(deleted);
          if (choice.chance(0.1)) return either.abandonPack(run.runId);
          const packs = [];
          for (let left = rows.count; left > 0; left -= 6) {
            packs.push({ packId: await either.nextPackId(), profiles: Math.min(6, left), sizeBytes: 100 });
          }
          const { setId, freed } = await either.switchPackSet({
            runId: run.runId,
            packs,
            seqs: rows.seqs,
            replaces: replaces.map((set) => set.setId),
          });
          if (setId === undefined) return { freed, rows: comparableRows(rows) };
          for (let afterId: Uint8Array | undefined, step = 0; !stops || step < 1; step++) {
            afterId = await either.settlePackSet({ setId, release, ...(afterId && { afterId }) });
            if (afterId === undefined) break;
          }
          return { freed, rows: comparableRows(rows), ids: await either.packIds() };
        },
        () => ({ service, type, shape, startNs, lengthNs, deleted, aside, release, replaced }),
      );
    },
    release: () => {
      const wanted = someIds().map((id) => parseProfileId(id)!);
      return both(
        (either) => either.releaseOriginals(wanted),
        () => wanted,
      );
    },
    packSets: () => {
      const query = { deletedShare: random.pick([0.01, 0.25, 0.9]) };
      return both(
        async (either) => ({
          deleted: comparableSets(await either.packSets(query)),
          days: comparableSets(await either.packSets({ level: "day", startNs: BASE_NS + 9_000_000_000n })),
          unsettled: comparableSets(await either.packSets({ unsettled: true, endNs: BASE_NS + 20_000_000_000n })),
        }),
        () => query,
      );
    },
    reopen: async () => {
      await catalog[Symbol.asyncDispose]();
      catalog = await open();
    },
  };
  const mix = [
    "insert",
    "insert",
    "insert",
    "find",
    "find",
    "find",
    "find",
    "mergeInputs",
    "mergeInputs",
    "count",
    "list",
    "get",
    "mergeInputsByIds",
    "delete",
    "deleteSelection",
    "relocate",
    "segments",
    "coverage",
    "coverage",
    "coverage",
    "loose",
    "pack",
    "pack",
    "release",
    "packSets",
  ];
  await steps.insert!();
  for (let step = 0; step < STEPS; step++) await steps[step % 100 === 99 ? "reopen" : random.pick(mix)]!();
  await catalog[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
