// Profiles of our Go programs, recorded for real and kept in the cache, and the seed of them that is committed: FOLDER/SERVICE/VERSION/TYPE/NNN.pb.gz.

import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { buildGoProgram, CACHE, run } from "./go-programs.ts";

/** Part of the folders' names: raise it when other recordings would come out. */
const RECORDED_VERSION = 2;
const SERIES_VERSION = 1;

const PROGRAMS = ["api", "web", "compiler", "worker"] as const;
const FIRST = { version: "1.0.0", tags: "" } as const;
const VERSIONS = [FIRST, { version: "1.1.0", tags: "second" }] as const;

interface Recording {
  windows: number;
  /** CPU time of each. */
  windowMs: number;
  rateHz: number;
  kinds: readonly string[];
}

/** Of one process per program and version: 8 processes, about 140 s in all. */
const RECORDED: Recording = { windows: 70, windowMs: 500, rateHz: 500, kinds: ["cpu"] };
/** Of one process per program that lives on: 5 minutes of CPU time in all. */
const SERIES: Recording = { windows: 320, windowMs: 300, rateHz: 500, kinds: ["cpu", "heap", "goroutine", "mutex"] };
export const SERIES_PROGRAMS = ["api", "web", "compiler"] as const;
export const SERIES_TYPES = ["cpu", "heap", "goroutine", "mutex"] as const;

export const SEED_FOLDER = join(import.meta.dirname, "testdata", "seed");
const SEED_PROFILES_PER_BUILD = 9;
/** Heap profiles are large. */
const SEED_SNAPSHOTS = { heap: 4, goroutine: 8, mutex: 2 } as const;

/** CPU profiles of two versions of four programs, recorded now if they are not in the cache. */
export async function recordedProfiles(): Promise<string> {
  const folder = join(CACHE, `recorded-v${RECORDED_VERSION}`);
  await once(folder, async (unfinished) => {
    for (const program of PROGRAMS) {
      for (const version of VERSIONS) await record(unfinished, program, version, RECORDED);
    }
  });
  return folder;
}

/** More profiles of fewer programs, of every type, recorded now if they are not in the cache. */
export async function recordedSeries(): Promise<string> {
  const folder = join(CACHE, `series-v${SERIES_VERSION}`);
  await once(folder, async (unfinished) => {
    for (const program of SERIES_PROGRAMS) await record(unfinished, program, FIRST, SERIES);
  });
  return folder;
}

async function record(
  folder: string,
  program: string,
  { version, tags }: { version: string; tags: string },
  { windows, windowMs, rateHz, kinds }: Recording,
): Promise<void> {
  console.error(`recording ${windows} times ${kinds.join(", ")} of ${program} ${version} …`);
  const goroot = (await run("go", ["env", "GOROOT"])).trim();
  await run(
    await buildGoProgram(program, join("programs", version), tags),
    [
      ...["-out", join(folder, program, version), "-kinds", kinds.join(",")],
      ...["-windows", String(windows), "-window", `${windowMs}ms`, "-rate", String(rateHz)],
    ],
    { env: { GOROOT: goroot } },
  );
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

/** Chooses anew, evenly over the time, what is committed. */
export async function renewSeed(): Promise<void> {
  await rm(SEED_FOLDER, { recursive: true, force: true });
  const recorded = await recordedProfiles();
  for (const program of PROGRAMS) {
    for (const { version } of VERSIONS) {
      await copySome(recorded, join(program, version, "cpu"), SEED_PROFILES_PER_BUILD);
    }
  }
  const series = await recordedSeries();
  for (const [type, count] of Object.entries(SEED_SNAPSHOTS)) {
    await copySome(series, join("api", FIRST.version, type), count);
  }
}

async function copySome(from: string, build: string, count: number): Promise<void> {
  const names = (await readdir(join(from, build))).sort();
  const step = Math.floor(names.length / count);
  for (let nth = 0; nth < count; nth++) {
    const name = names[nth * step]!;
    await cp(join(from, build, name), join(SEED_FOLDER, build, name));
  }
}
