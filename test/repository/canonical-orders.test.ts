import { expect, test } from "vitest";
import { canonicalOrders, type SortedProfiles } from "../../src/repository/canonical-orders.ts";
import { Random } from "../support/random.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const BASE_NS = 1_790_000_000_000_000_000n;

interface Profile {
  timeNs: bigint;
  id: Uint8Array;
}

function compare(a: Profile, b: Profile): number {
  return a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : Buffer.compare(a.id, b.id);
}

function sourceOf(profiles: readonly Profile[]): SortedProfiles {
  const sorted = profiles.toSorted(compare);
  return {
    timesNs: BigInt64Array.from(sorted, ({ timeNs }) => timeNs),
    ids: Buffer.concat(sorted.map(({ id }) => id)),
  };
}

test(`orders of random sources are those of all profiles sorted together (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  for (let round = 0; round < 200; round++) {
    const sources = Array.from({ length: random.between(0, random.pick([2, 6, 40])) }, () => {
      const start = BASE_NS + BigInt(random.between(0, 5)) * BigInt(random.pick([0, 1, 3_600_000_000_000]));
      return Array.from({ length: random.between(0, 20) }, () => ({
        timeNs: start + BigInt(random.between(0, random.pick([1, 10, 1_000_000]))),
        id: Uint8Array.from({ length: 16 }, (_, at) => (at < 14 ? 0 : random.between(0, 255))),
      }));
    });
    const sorted = sources.flat().toSorted(compare);
    const ranks = await canonicalOrders(sources.map(sourceOf));
    for (const [at, source] of sources.entries()) {
      for (const [nth, profile] of source.toSorted(compare).entries()) {
        // Random ids may be equal: then either order is right.
        expect(compare(sorted[ranks[at]![nth]!]!, profile)).toBe(0);
      }
    }
    expect(ranks.flatMap((orders) => [...orders]).sort((a, b) => a - b)).toEqual(sorted.map((_, at) => at));
  }
});

test("sources by the hundred, as of hundreds of services, let others have their turn while they are ordered", async () => {
  const sources = Array.from({ length: 400 }, (_, source) => {
    const times = Array.from({ length: 100 }, (_, nth) => BASE_NS + BigInt(nth * 400 + source));
    return { timesNs: BigInt64Array.from(times), ids: new Uint8Array(1600) };
  });
  let turns = 0;
  const others = setInterval(() => turns++, 0);
  const ranks = await canonicalOrders(sources);
  clearInterval(others);
  expect(turns).toBeGreaterThan(0);
  expect(ranks.every((orders, source) => orders.every((order, nth) => order === nth * 400 + source))).toBe(true);
});
