// Builds all bench data into bench/.cache and keeps it between runs. `node bench/generate.ts` makes everything;
// `node bench/generate.ts seed` renews the committed seed in bench/testdata from what is recorded.

import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { argv } from "node:process";
import { type Corpus, readCorpus } from "./corpus.ts";
import { buildGoProgram, CACHE, run } from "./go-programs.ts";

/** Part of every folder's name in the cache: raise it when other data would come out. */
const GENERATOR_VERSION = 1;

const PROGRAMS = ["api", "web", "compiler", "worker"] as const;
const VERSIONS = [
  { version: "1.0.0", tags: "" },
  { version: "1.1.0", tags: "second" },
] as const;

/** Of one process per program and version: 8 processes, about 140 s in all. */
const RECORDING = { profiles: 70, windowMs: 250, rateHz: 500 } as const;
const SEED_PROFILES_PER_BUILD = 9;
const SEED_FOLDER = join(import.meta.dirname, "testdata", "seed");

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
    const real = size === "small" ? SEED_FOLDER : await recordedProfiles();
    const draw = WEIGHTS[weight];
    await run(await buildGoProgram("bootstrap"), [
      ...["-real", real, "-out", unfinished, "-count", String(CORPUS_PROFILES[size])],
      ...["-min-sources", String(draw.minSources), "-max-sources", String(draw.maxSources)],
      ...["-min-percent", String(draw.minPercent), "-max-percent", String(draw.maxPercent)],
    ]);
  });
  return readCorpus(folder);
}

/** A folder SERVICE/VERSION/NNN.pb.gz of real profiles, recorded now if they are not in the cache. */
async function recordedProfiles(): Promise<string> {
  const folder = join(CACHE, `recorded-v${GENERATOR_VERSION}`);
  const goroot = (await run("go", ["env", "GOROOT"])).trim();
  await once(folder, async (unfinished) => {
    for (const program of PROGRAMS) {
      for (const { version, tags } of VERSIONS) {
        const out = join(unfinished, program, version);
        await mkdir(out, { recursive: true });
        const { profiles, windowMs, rateHz } = RECORDING;
        console.error(`recording ${profiles} profiles of ${program} ${version} …`);
        await run(
          await buildGoProgram(program, join("programs", version), tags),
          ["-out", out, "-windows", String(profiles), "-window", `${windowMs}ms`, "-rate", String(rateHz)],
          { env: { GOROOT: goroot } },
        );
      }
    }
  });
  return folder;
}

/** Makes a folder whole or not at all. */
export async function once(folder: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await make(unfinished);
  await rename(unfinished, folder);
}

async function renewSeed(): Promise<void> {
  const recorded = await recordedProfiles();
  await rm(SEED_FOLDER, { recursive: true, force: true });
  for (const program of PROGRAMS) {
    for (const { version } of VERSIONS) {
      const names = (await readdir(join(recorded, program, version))).sort();
      const step = Math.floor(names.length / SEED_PROFILES_PER_BUILD);
      for (let nth = 0; nth < SEED_PROFILES_PER_BUILD; nth++) {
        const name = names[nth * step]!;
        await cp(join(recorded, program, version, name), join(SEED_FOLDER, program, version, name));
      }
    }
  }
}

if (import.meta.main) {
  if (argv[2] === "seed") await renewSeed();
  else {
    for (const size of ["small", "full"] as const) {
      for (const weight of ["light", "heavy"] as const) {
        const made = await corpus(size, weight);
        const bytes = made.bodies.length;
        console.log(
          `${size} ${weight}: ${made.entries.length} profiles, mean ${Math.round(bytes / made.entries.length)} B`,
        );
      }
    }
  }
}
