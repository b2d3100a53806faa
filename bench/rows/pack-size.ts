// What packs take on the disk, of profiles that were recorded for real, each type of each program in a pack of its own.

import { hash } from "node:crypto";
import { readUploads, type Uploads } from "../../src/fleet/real-profiles.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { profileId } from "../../src/model/profile-id.ts";
import type { EncodedPack } from "../../src/pack/format.ts";
import { PackBuilder } from "../../src/pack/pack-builder.ts";
import { inflate } from "../../src/pprof/gzip.ts";
import { summarize } from "../../src/pprof/summary.ts";
import { busyDay, catalogSize } from "../data-folders.ts";
import type { Size } from "../generate.ts";
import type { Measurement, Row } from "../measurement.ts";
import { recordedSeries, SEED_FOLDER, SERIES_TYPES } from "../recordings.ts";

export const packSize: Row = {
  name: "pack-size",
  what: "bytes of packs of recorded profiles, against their gzips as the programs wrote them; bytes of the catalog",
  run: measure,
};

const LABELS = [
  { name: "instance", value: "i0" },
  { name: "version", value: "1.0.0" },
];

async function measure(size: Size): Promise<Measurement> {
  const uploads = readUploads(size === "full" ? await recordedSeries() : SEED_FOLDER, SERIES_TYPES).filter(
    ({ version }) => version === "1.0.0",
  );
  const { corpus, packed } = await busyDay(size);
  const { usedBytes, fileBytes } = await catalogSize(packed);
  const catalogBytesEach = usedBytes / corpus.entries.length;
  const counts: Record<string, number> = { profilesInCatalog: corpus.entries.length };
  const figures: Record<string, number> = {
    catalogBytesEach,
    catalogFileBytesEach: fileBytes / corpus.entries.length,
  };
  for (const type of SERIES_TYPES) {
    const packs = uploads
      .filter((each) => each.type === type)
      .map((each) => ({ ...each, ...packOf(each), sentBytes: sum(each.bodies.map(({ length }) => length)) }));
    for (const { service, bodies, sentBytes, bytes } of packs) {
      const name = `${type}-${service}`;
      counts[`${name}-profiles`] = bodies.length;
      figures[`${name}-sentBytesEach`] = sentBytes / bodies.length;
      figures[`${name}-packBytesEach`] = bytes.length / bodies.length;
      figures[`${name}-Ratio`] = sentBytes / bytes.length;
    }
    const profiles = sum(packs.map(({ bodies }) => bodies.length));
    const [sent, inPacks] = [sum(packs.map((pack) => pack.sentBytes)), sum(packs.map(({ bytes }) => bytes.length))];
    figures[`${type}Ratio`] = sent / inPacks;
    figures[`${type}WithCatalogRatio`] = sent / (inPacks + catalogBytesEach * profiles);
    for (const [section, bytes] of sectionsOf(packs)) figures[`${type}-in-${section}BytesEach`] = bytes / profiles;
  }
  return {
    counts,
    figures,
    targets: [
      { figure: "catalogBytesEach", atMost: 200 },
      { figure: "cpuRatio", atLeast: 12 },
      { figure: "heapRatio", atLeast: 40 },
      { figure: "goroutineRatio", atLeast: 20 },
      { figure: "cpuWithCatalogRatio", atLeast: 12 },
      { figure: "heapWithCatalogRatio", atLeast: 30 },
      { figure: "goroutineWithCatalogRatio", atLeast: 8 },
    ],
  };
}

function packOf({ service, type, bodies }: Uploads): EncodedPack {
  let builder: PackBuilder | undefined;
  for (const [nth, body] of bodies.entries()) {
    const raw = inflate(body, DEFAULT_LIMITS.inflatedBytes);
    const { sampleTypes, periodType, timeNs, durationNs } = summarize(raw, DEFAULT_LIMITS);
    const columns = sampleTypes.map(({ type: name, unit }) => ({ type: name, unit }));
    builder ??= new PackBuilder({ service, type, shape: { columns, periodType } });
    const digest = hash("sha256", raw, "buffer");
    const id = profileId({ tenant: "default", service, type, labels: LABELS, timeNs, digest });
    const receivedNs = timeNs + durationNs + BigInt(nth % 7) * 1_000_003n;
    const entry = { id, digest, timeNs, receivedNs, seq: BigInt(nth + 1), labels: LABELS, sizeBytes: body.length };
    builder.add(entry, raw);
    if (builder.isFull) throw new Error(`the ${type} profiles of ${service} do not fit one pack`);
  }
  return builder!.finish();
}

/** Largest first. */
function sectionsOf(packs: readonly EncodedPack[]): [section: string, bytes: number][] {
  const total = new Map<string, number>();
  for (const { sizes } of packs) {
    for (const [section, bytes] of sizes) total.set(section, (total.get(section) ?? 0) + bytes);
  }
  return [...total].sort(([, a], [, b]) => b - a);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
