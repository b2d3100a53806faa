// Random operations on the SQLite catalog against the naive one: the same answers to the same questions, reopened now and then.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Label } from "../../src/model/labels.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import type { Matcher, MatchOperator } from "../../src/model/matcher.ts";
import { formatProfileId } from "../../src/model/profile-id.ts";
import type { Selector } from "../../src/model/selector.ts";
import type { Interval } from "../../src/model/time.ts";
import type { Locator } from "../../src/storage/blob-store.ts";
import type { Catalog, MergeInputs, NewProfile, SelectionStrategy } from "../../src/storage/catalog.ts";
import { openMemoryCatalog } from "../../src/storage/memory/catalog.ts";
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
function comparable({ inputs, shapes, matched }: MergeInputs) {
  return {
    matched,
    inputs: inputs.map(({ id, timeNs, digest, shapeId, locator }) => ({
      id,
      timeNs,
      digest,
      shape: shapes.get(shapeId),
      locator,
    })),
  };
}

/** In whatever order they were freed. */
async function freed(deletion: Promise<Locator[]>): Promise<string[]> {
  return (await deletion).map((locator) => JSON.stringify(Object.entries(locator).sort())).sort();
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
        (either) => freed(either.delete(wanted)),
        () => wanted,
      );
    },
    deleteSelection: () => {
      const [selector, interval, maxSeq] = [randomSelector(random), randomInterval(random), random.between(1, 3000)];
      return both(
        (either) => freed(either.deleteSelection(selector, interval, maxSeq, 5)),
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
  ];
  await steps.insert!();
  for (let step = 0; step < STEPS; step++) await steps[step % 100 === 99 ? "reopen" : random.pick(mix)]!();
  await catalog[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
