// A data folder with very many small profiles, filled through the storage API: bodies of a few bytes, rows as real ones have them.
// Thirty days of a fleet: each version lives for three days, so most series are dead; some services are much busier than others.

import { hash } from "node:crypto";
import type { Labels } from "../src/model/labels.ts";
import { DEFAULT_LIMITS } from "../src/model/limits.ts";
import { profileId } from "../src/model/profile-id.ts";
import type { Shape } from "../src/model/shape.ts";
import type { Locator } from "../src/storage/blob-store.ts";
import type { NewProfile } from "../src/storage/catalog.ts";
import { openDiskBlobs } from "../src/storage/disk/blobs.ts";
import { openSqliteCatalog } from "../src/storage/sqlite/catalog.ts";
import { keptFolder } from "./data-folders.ts";
import type { Size } from "./generate.ts";

export interface Fleet {
  services: number;
  instances: number;
  profiles: number;
}

/** Series: 10 versions × services × 2 types × instances. */
export const FLEETS: Record<Size, Fleet> = {
  full: { services: 50, instances: 100, profiles: 1_000_000 },
  small: { services: 5, instances: 10, profiles: 10_000 },
};

const VERSIONS = 10;
const TYPES = ["cpu", "heap"] as const;
const REGIONS = ["eu", "us", "ap"] as const;
/** One series in so many says that it is a canary. */
const SERIES_PER_CANARY = 5_000;
const BATCH = 512;

const DAY_NS = 86_400_000_000_000n;
export const FLEET_START_NS = BigInt(Date.UTC(2026, 2, 1)) * 1_000_000n;
export const FLEET_END_NS = FLEET_START_NS + 30n * DAY_NS;

const SHAPES: Record<(typeof TYPES)[number], Shape> = {
  cpu: {
    columns: [
      { type: "samples", unit: "count" },
      { type: "cpu", unit: "nanoseconds" },
    ],
    periodType: { type: "cpu", unit: "nanoseconds" },
  },
  heap: {
    columns: ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"].map((type) => ({
      type,
      unit: type.endsWith("space") ? "bytes" : "count",
    })),
    periodType: { type: "space", unit: "bytes" },
  },
};

/** The data folder of that size, filled now if it is not in the cache: about a minute and 400 MB at full size. */
export async function fleetFolder(size: Size): Promise<string> {
  return await keptFolder(`fleet-${size}`, ["bench/catalog-data.ts"], (unfinished) => fill(unfinished, FLEETS[size]));
}

async function fill(folder: string, fleet: Fleet): Promise<void> {
  // As many segments as profiles of a real size would fill.
  const limits = { ...DEFAULT_LIMITS, segmentBytes: DEFAULT_LIMITS.segmentBytes / 64 };
  await using catalog = await openSqliteCatalog({ folder, limits });
  const report = (message: string) => console.error(message);
  await using blobs = await openDiskBlobs({ folder, limits, knownEnds: new Map(), report });
  for (let first = 0; first < fleet.profiles; first += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, fleet.profiles - first) }, (_, at) => first + at);
    const bodies = numbers.map((number) => Buffer.from(`profile ${number}`));
    const locators = await blobs.append(bodies, "profile");
    await catalog.insert(numbers.map((number, at) => fleetProfile(number, fleet, bodies[at]!, locators[at]!)));
  }
}

/** Profile `number` of the fleet, in the order of time. Each version first shows all of its series once, then prefers low services. */
function fleetProfile(number: number, fleet: Fleet, body: Uint8Array, locator: Locator): NewProfile {
  const { services, instances, profiles } = fleet;
  const version = Math.floor((number * VERSIONS) / profiles);
  const nth = number - Math.ceil((version * profiles) / VERSIONS);
  const random = scramble(number);
  const fresh = nth < services * TYPES.length * instances;
  const service = fresh ? nth % services : Math.floor(services * (random % 1000) ** 2 * 1e-6);
  const instance = fresh ? Math.floor(nth / services) % instances : Math.floor(random / 1000) % instances;
  const typeAt = fresh ? Math.floor(nth / services / instances) : Math.floor(random / 1_000_000) % TYPES.length;
  const type = TYPES[typeAt]!;
  const labels = labelsOf(version, service, typeAt, instance, fleet);
  const identity = {
    tenant: "default",
    service: serviceName(service),
    type,
    labels,
    timeNs: FLEET_START_NS + ((FLEET_END_NS - FLEET_START_NS) * BigInt(number)) / BigInt(profiles),
    digest: hash("sha256", body, "buffer"),
  };
  return {
    ...identity,
    id: profileId(identity),
    timeSource: "profile",
    durationNs: 10_000_000_000n,
    receivedNs: identity.timeNs + 11_000_000_000n,
    sampleCount: 200 + (random % 400),
    shape: SHAPES[type],
    totals: SHAPES[type].columns.map((_, column) => BigInt(random) * BigInt(column * 1_000_003 + 1)),
    sampleLabelKeys: [],
    locator,
  };
}

export function serviceName(service: number): string {
  return `service-${String(service).padStart(2, "0")}`;
}

function labelsOf(version: number, service: number, typeAt: number, instance: number, fleet: Fleet): Labels {
  const series = ((version * fleet.services + service) * TYPES.length + typeAt) * fleet.instances + instance;
  return [
    ...(series % SERIES_PER_CANARY === 42 ? [{ name: "canary", value: "true" }] : []),
    { name: "env", value: instance % 5 === 4 ? "staging" : "prod" },
    { name: "instance", value: `i-${String(instance).padStart(2, "0")}` },
    { name: "region", value: REGIONS[instance % REGIONS.length]! },
    { name: "version", value: `0.${version + 1}.0` },
  ];
}

/** A whole number below 2^31 that looks random: a few rounds of multiply and shift. */
function scramble(number: number): number {
  let bits = Math.imul(number + 1, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 1;
}
