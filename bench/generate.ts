// Builds the corpora into bench/.cache and keeps them between runs. `node bench/generate.ts` makes everything;
// `node bench/generate.ts seed` renews the committed seed in bench/testdata from what is recorded.

import { join } from "node:path";
import { argv } from "node:process";
import { type FleetOptions, fleetInTime } from "../src/fleet/fleet.ts";
import { readBuilds } from "../src/fleet/real-profiles.ts";
import { type Corpus, readCorpus, writeCorpus } from "./corpus.ts";
import { buildGoProgram, CACHE, run } from "./go-programs.ts";
import { once, recordedProfiles, recordedSeries, renewSeed, SEED_FOLDER } from "./recordings.ts";

/** Part of every folder's name in the cache: raise it when other data would come out. */
const GENERATOR_VERSION = 1;

/** How many real profiles the rows of one come from, and their number in percent of the mean of those. Found by trial for 10 and 37 KB. */
const WEIGHTS = {
  light: { minSources: 1, maxSources: 3, minPercent: 40, maxPercent: 105 },
  heavy: { minSources: 6, maxSources: 10, minPercent: 460, maxPercent: 760 },
} as const;

export type Weight = keyof typeof WEIGHTS;
export type Size = "full" | "small";
export const CORPUS_PROFILES: Record<Size, number> = { full: 5000, small: 200 };

/** The corpus of that size and weight, made now if it is not in the cache. Small ones come from the committed seed, in seconds. */
export async function corpus(size: Size, weight: Weight): Promise<Corpus> {
  const folder = join(CACHE, `corpus-${size}-${weight}-v${GENERATOR_VERSION}`);
  await once(folder, async (unfinished) => {
    const draw = WEIGHTS[weight];
    await run(await buildGoProgram("bootstrap"), [
      ...["-real", await realProfiles(size), "-out", unfinished, "-count", String(CORPUS_PROFILES[size])],
      ...["-min-sources", String(draw.minSources), "-max-sources", String(draw.maxSources)],
      ...["-min-percent", String(draw.minPercent), "-max-percent", String(draw.maxPercent)],
    ]);
  });
  return readCorpus(folder);
}

async function realProfiles(size: Size): Promise<string> {
  return size === "small" ? SEED_FOLDER : await recordedProfiles();
}

/** Monday, 2 March 2026, 0:00 UTC. */
export const DAY_START_NS = BigInt(Date.UTC(2026, 2, 2)) * 1_000_000n;

interface FleetSize {
  /** Default cpu. */
  type?: string;
  services: readonly string[];
  hours: number;
  instances: number;
  perInstance: Record<Size, number>;
}

/** `day`: as many profiles as the corpus, over a day. `busyDay`: one service, 900 an hour. `heap`, `goroutine`: an hour of snapshots. */
const FLEETS = {
  day: {
    services: ["api", "compiler", "web", "worker"],
    hours: 24,
    instances: 10,
    perInstance: { full: 125, small: 5 },
  },
  busyDay: { services: ["api"], hours: 24, instances: 10, perInstance: { full: 2160, small: 36 } },
  heap: { type: "heap", services: ["api"], hours: 1, instances: 10, perInstance: { full: 100, small: 2 } },
  goroutine: { type: "goroutine", services: ["api"], hours: 1, instances: 10, perInstance: { full: 100, small: 2 } },
} as const satisfies Record<string, FleetSize>;

export type FleetName = keyof typeof FLEETS;

/** A fleet's profiles, drawn by src/fleet/fleet.ts, from DAY_START_NS on. */
export async function fleetOptions(
  size: Size,
  { type = "cpu", services, hours, instances, perInstance }: FleetSize,
): Promise<FleetOptions> {
  const folder = size === "full" && type !== "cpu" ? await recordedSeries() : await realProfiles(size);
  const builds = readBuilds(folder, [type]).filter(({ service }) => services.includes(service));
  return { builds, seed: 1, startNs: DAY_START_NS, hours, instances, perInstance: perInstance[size] };
}

/** A fleet as a corpus, made now if it is not in the cache. */
export async function fleetCorpus(size: Size, name: FleetName): Promise<Corpus> {
  const folder = join(CACHE, `corpus-${size}-${name}-v${GENERATOR_VERSION}`);
  await once(folder, async (unfinished) => {
    await writeCorpus(unfinished, fleetInTime(await fleetOptions(size, FLEETS[name])));
  });
  return readCorpus(folder);
}

if (import.meta.main) {
  if (argv[2] === "seed") await renewSeed();
  else {
    await recordedSeries();
    for (const size of ["small", "full"] as const) {
      for (const weight of ["light", "heavy"] as const) describe(`${size} ${weight}`, await corpus(size, weight));
      for (const name of ["day", "busyDay", "heap", "goroutine"] as const)
        describe(`${size} ${name}`, await fleetCorpus(size, name));
    }
  }
}

function describe(name: string, { entries, bodies }: Corpus): void {
  console.log(`${name}: ${entries.length} profiles, mean ${Math.round(bodies.length / entries.length)} B`);
}
