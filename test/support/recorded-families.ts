// Profiles of real writers by what can be summed: those of one program and type, of Go's runtime, Node, other writers, older formats.

import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { readLegacyProfiles } from "./legacy-corpus.ts";

export interface Family {
  name: string;
  /** Uncompressed protobufs, or bytes of an older format. */
  raws: Uint8Array[];
  isLegacy: boolean;
}

const FOLDERS = ["recorded", "written"].map((name) => new URL(`../testdata/${name}/`, import.meta.url));

export function recordedFamilies(): Family[] {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".pb.gz"))
      .sort()
      .map((file) => ({
        name: file.replace(/(-\d+)?\.pb\.gz$/, ""),
        raw: gunzipSync(readFileSync(new URL(file, folder))),
      })),
  );
  const families = [...Map.groupBy(files, ({ name }) => name)].map(([name, members]) => ({
    name,
    raws: members.map(({ raw }) => raw),
    isLegacy: false,
  }));
  return [...families, ...readLegacyProfiles().map(({ name, bytes }) => ({ name, raws: [bytes], isLegacy: true }))];
}
