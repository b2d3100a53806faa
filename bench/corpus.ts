// A corpus in memory: all bodies in one buffer, and what each is. bench/generate.ts makes its files.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

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
