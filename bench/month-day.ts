// Thread entry: draws a day of the month's fleet and packs it, profiles in the order of their series. The main thread registers what comes out.

import { hash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { fleetMembers, fleetProfile } from "../src/fleet/fleet.ts";
import type { Labels } from "../src/model/labels.ts";
import { DEFAULT_LIMITS } from "../src/model/limits.ts";
import { profileId } from "../src/model/profile-id.ts";
import type { Shape } from "../src/model/shape.ts";
import { PackBuilder } from "../src/pack/pack-builder.ts";
import { summarize } from "../src/pprof/summary.ts";
import { type MonthSize, monthFleet } from "./month-fleet.ts";

export interface PackedDay {
  day: number;
  profiles: DayProfile[];
  shape: Shape;
  packs: { bytes: Uint8Array<ArrayBuffer>; profiles: number }[];
}

/** What the catalog is told of one. */
export interface DayProfile {
  id: Uint8Array;
  digest: Uint8Array;
  service: string;
  type: string;
  labels: Labels;
  timeNs: bigint;
  durationNs: bigint;
  receivedNs: bigint;
  sampleCount: number;
  totals: bigint[];
}

/** Agents send a profile a second after its end. */
const DELAY_NS = 1_000_000_000n;

const size = workerData as MonthSize;
const fleet = await monthFleet(size);
const members = fleetMembers(fleet);

parentPort!.on("message", (day: number) => {
  const packed = packDay(day);
  parentPort!.postMessage(
    packed,
    packed.packs.map(({ bytes }) => bytes.buffer),
  );
});

function packDay(day: number): PackedDay {
  const { perInstanceDay } = size;
  const profiles: DayProfile[] = [];
  const packs: PackedDay["packs"] = [];
  let shape: Shape | undefined;
  let builder: PackBuilder | undefined;
  let seq = day * perInstanceDay * members.length;
  for (const member of members) {
    for (let nth = day * perInstanceDay; nth < (day + 1) * perInstanceDay; nth++) {
      const { service, type, labels, timeNs, bytes } = fleetProfile(fleet, member, nth);
      const { sampleTypes, periodType, durationNs, sampleCount } = summarize(bytes, DEFAULT_LIMITS);
      shape ??= { columns: sampleTypes.map(({ type: name, unit }) => ({ type: name, unit })), periodType };
      const digest = hash("sha256", bytes, "buffer");
      const id = profileId({ tenant: "default", service, type, labels, timeNs, digest });
      const receivedNs = timeNs + durationNs + DELAY_NS;
      const totals = sampleTypes.map(({ total }) => total);
      profiles.push({ id, digest, service, type, labels, timeNs, durationNs, receivedNs, sampleCount, totals });
      builder ??= new PackBuilder({ service, type, shape });
      seq++;
      builder.add({ id, digest, timeNs, receivedNs, seq: BigInt(seq), labels, sizeBytes: bytes.length >> 1 }, bytes);
      if (!builder.isFull) continue;
      packs.push({ profiles: builder.profiles, bytes: builder.finish().bytes });
      builder = undefined;
    }
  }
  if (builder) packs.push({ profiles: builder.profiles, bytes: builder.finish().bytes });
  return { day, profiles, shape: shape!, packs };
}
