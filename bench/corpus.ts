// A corpus in memory: all bodies in one buffer, and what each is. bench/generate.ts makes its files.

import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { FleetProfile } from "../src/fleet/fleet.ts";

export interface CorpusEntry {
  service: string;
  version: string;
  instance: string;
  /** Unix nanoseconds, decimal. */
  timeNs: string;
  /** Of the gzipped profile in `bodies`, bytes. */
  offset: number;
  length: number;
}

export interface Corpus {
  folder: string;
  entries: readonly CorpusEntry[];
  bodies: Buffer;
}

export async function readCorpus(folder: string): Promise<Corpus> {
  const [index, bodies] = await Promise.all([
    readFile(join(folder, "index.json"), "utf8"),
    readFile(join(folder, "corpus.bin")),
  ]);
  return { folder, entries: JSON.parse(index) as CorpusEntry[], bodies };
}

export function bodyOf(corpus: Corpus, entry: CorpusEntry): Uint8Array {
  return corpus.bodies.subarray(entry.offset, entry.offset + entry.length);
}

/** Profiles as their senders would upload them, one after the other, in files that readCorpus and the Go programs read. */
export async function writeCorpus(folder: string, profiles: Iterable<FleetProfile>): Promise<void> {
  const entries: CorpusEntry[] = [];
  const bodies = await open(join(folder, "corpus.bin"), "wx");
  try {
    let offset = 0;
    for (const { service, labels, timeNs, bytes } of profiles) {
      const body = gzipSync(bytes, { level: 1 });
      const labelOf = (label: string) => labels.find(({ name }) => name === label)!.value;
      const [version, instance] = [labelOf("version"), labelOf("instance")];
      entries.push({ service, version, instance, timeNs: `${timeNs}`, offset, length: body.length });
      await bodies.appendFile(body);
      offset += body.length;
    }
  } finally {
    await bodies.close();
  }
  await writeFile(join(folder, "index.json"), JSON.stringify(entries));
}
