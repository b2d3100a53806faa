// Data folders of servers that take long to fill, kept in the cache until what decides their content changes.

import { createHash } from "node:crypto";
import { cp, glob, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Corpus } from "./corpus.ts";
import { fleetCorpus, type Size } from "./generate.ts";
import { CACHE } from "./go-programs.ts";
import { sendLoad } from "./peers.ts";
import { once } from "./recordings.ts";
import { startProcess } from "./server-process.ts";
import { packNow } from "./server-requests.ts";

const ROOT = join(import.meta.dirname, "..");
const STORED_FORM = ["src/storage/sqlite/migrations.ts", "src/storage/disk/segment-format.ts"];

/**
 * The folder NAME-DIGEST in the cache, filled now where it is not there; older ones of that name go. The digest is of what the form of
 * stored data depends on, and of `sources`: patterns of paths in the repository.
 */
export async function keptFolder(
  name: string,
  sources: readonly string[],
  fill: (unfinished: string) => Promise<void>,
): Promise<string> {
  const folder = join(CACHE, `${name}-${await digestOf([...STORED_FORM, ...sources])}`);
  await once(folder, async (unfinished) => {
    await mkdir(CACHE, { recursive: true });
    const old = (await readdir(CACHE)).filter(
      (each) => each.startsWith(`${name}-`) && join(CACHE, each) !== unfinished,
    );
    for (const each of old) await rm(join(CACHE, each), { recursive: true });
    await fill(unfinished);
  });
  return folder;
}

async function digestOf(patterns: readonly string[]): Promise<string> {
  const paths: string[] = [];
  for (const pattern of patterns) for await (const path of glob(pattern, { cwd: ROOT })) paths.push(path);
  const digest = createHash("sha256");
  for (const path of paths.sort()) digest.update(await readFile(join(ROOT, path)));
  return digest.digest("hex").slice(0, 8);
}

export interface BusyDay {
  corpus: Corpus;
  /** All profiles as they were sent: serve it with --no-pack. */
  loose: string;
  packed: string;
}

/** A day of one service with 900 profiles an hour, uploaded, and packed. */
export async function busyDay(size: Size): Promise<BusyDay> {
  const corpus = await fleetCorpus(size, "busyDay");
  const generator = ["src/fleet/fleet.ts", "bench/generate.ts"];
  const loose = await keptFolder(`day-loose-${size}`, generator, async (unfinished) => {
    await using server = await startProcess(unfinished, ["--no-pack"]);
    await sendLoad(server.url, corpus.folder, { clients: 8, rounds: 1, warmup: 0 });
  });
  const packed = await keptFolder(`day-packed-${size}`, [...generator, "src/pack/**/*.ts"], async (unfinished) => {
    await cp(loose, unfinished, { recursive: true });
    await using server = await startProcess(unfinished);
    await packNow(server.url, corpus.entries.length);
  });
  return { corpus, loose, packed };
}

/** An hour of heap profiles of one service, in packs of that hour. */
export async function packedHeaps(size: Size): Promise<string> {
  const corpus = await fleetCorpus(size, "heap");
  const sources = ["src/fleet/fleet.ts", "bench/generate.ts", "src/pack/**/*.ts"];
  return await keptFolder(`heap-packed-${size}`, sources, async (unfinished) => {
    await using server = await startProcess(unfinished);
    await sendLoad(server.url, corpus.folder, { clients: 8, rounds: 1, warmup: 0, type: "heap" });
    await packNow(server.url, corpus.entries.length);
  });
}

/** The catalog's file, and what of it is in use: pages that packing emptied are taken by the next uploads. By SQLite's file header. */
export async function catalogSize(dataFolder: string): Promise<{ fileBytes: number; usedBytes: number }> {
  await using file = await open(join(dataFolder, "catalog.db"));
  const { buffer: header } = await file.read(Buffer.alloc(100), 0, 100, 0);
  const pageBytes = header.readUInt16BE(16);
  return {
    fileBytes: header.readUInt32BE(28) * pageBytes,
    usedBytes: (header.readUInt32BE(28) - header.readUInt32BE(36)) * pageBytes,
  };
}
