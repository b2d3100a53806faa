// A fleet in any number of profiles, drawn from few real ones: services × releases × instances × hours, for `profusion demo`, benchmarks and tests. A bootstrap:
// stacks, symbols, labels and values are real; which of them meet in a profile, its instance and its time are not. The same options and the
// same real profiles give the same fleet.

import type { Labels } from "../model/labels.ts";
import { Random } from "./random.ts";
import type { RealBuild, RealProfile, RealRow, RealStack, Text } from "./real-profiles.ts";
import { writeAsRuntime } from "./runtime-writer.ts";

export interface FleetOptions {
  /** All of one service and type are its releases, one after the other; when they have been, they come again, moved to other addresses. */
  builds: readonly RealBuild[];
  seed: number;
  startNs: bigint;
  hours: number;
  /** Of each service. */
  instances: number;
  /** Of each type, in all of the time. */
  perInstance: number;
  /** A service has a new release so often; its instances take it one after the other within an hour. Default: each has its part of the time. */
  hoursPerRelease?: number;
  /** Of types that are drawn from several real profiles. Default: LIGHT_DRAW. */
  draw?: Draw;
}

/** How many real profiles the rows of one come from, and their number in percent of the mean of those. */
export interface Draw {
  minSources: number;
  maxSources: number;
  minPercent: number;
  maxPercent: number;
}

/** Found by trial, for 10 KB gzipped. */
export const LIGHT_DRAW: Draw = { minSources: 1, maxSources: 3, minPercent: 40, maxPercent: 105 };

/** One series over its releases. */
export interface FleetMember {
  service: string;
  type: string;
  instance: number;
  /** Its place among all. */
  number: number;
  releases: readonly RealBuild[];
}

export interface FleetProfile {
  service: string;
  type: string;
  labels: Labels;
  timeNs: bigint;
  /** Not gzipped. */
  bytes: Uint8Array<ArrayBuffer>;
}

const HOUR_NS = 3_600_000_000_000;
const REGIONS = ["eu", "us", "ap"] as const;
/** By which the code of a release lies higher than that of the one before it from the same build. */
const RELEASE_SHIFT = 64n;
/** Of a snapshot's rows so many are left out, one in: stacks come and go. */
const SNAPSHOT_GAPS = 20;

export function fleetMembers({ builds, instances }: FleetOptions): FleetMember[] {
  const releases = Map.groupBy(builds, ({ service, type }) => JSON.stringify([service, type]));
  return [...releases.values()].flatMap((own, nth) =>
    Array.from({ length: instances }, (_, instance) => ({
      service: own[0]!.service,
      type: own[0]!.type,
      instance,
      number: nth * instances + instance,
      releases: own,
    })),
  );
}

/** All profiles, nearly in the order of time. */
export function* fleetInTime(options: FleetOptions): Generator<FleetProfile> {
  const members = fleetMembers(options);
  for (let nth = 0; nth < options.perInstance; nth++) {
    for (const member of members) yield fleetProfile(options, member, nth);
  }
}

/** The n-th of a member: any can be asked for, in any order. */
export function fleetProfile(options: FleetOptions, member: FleetMember, nth: number): FleetProfile {
  const { seed, startNs, hours, perInstance, draw = LIGHT_DRAW } = options;
  const random = new Random(((seed * 1_000_003 + member.number) * 1_000_003 + nth) % 2 ** 32);
  const stepNs = (hours * HOUR_NS) / perInstance;
  // Within its step, so that a day has as many as another.
  const offset = ((member.number % 97) / 97) * 0.999;
  const sinceNs = BigInt(Math.floor(stepNs * (nth + offset) + random.fraction() * 5e5));
  const timeNs = startNs + sinceNs;
  const { build, lap } = releaseAt(options, member, Number(sinceNs) / HOUR_NS);
  const source = build.profiles[Math.floor((nth / perInstance) * build.profiles.length)]!;
  const isSum = source.durationNs !== 0n;
  const rows = isSum ? drawRows(build, draw, random) : source.rows.filter(() => !random.chance(1 / SNAPSHOT_GAPS));
  return {
    service: member.service,
    type: member.type,
    labels: labelsOf(member, build.version, lap),
    timeNs,
    bytes: writeAsRuntime(isSum ? build.profiles[0]! : source, {
      rows,
      timeNs,
      ...(lap > 0 && { shift: RELEASE_SHIFT * BigInt(lap), buildId: buildIdOf(source, lap) }),
    }),
  };
}

/** Which release an instance runs, and how often its build was one before. */
function releaseAt(options: FleetOptions, { releases, instance }: FleetMember, hour: number) {
  const { hours, instances, hoursPerRelease = hours / releases.length } = options;
  const rollout = instance / instances; // of an hour
  const release = Math.floor(Math.max(0, hour - rollout) / hoursPerRelease);
  return { build: releases[release % releases.length]!, lap: Math.floor(release / releases.length) };
}

function labelsOf({ instance }: FleetMember, version: string, lap: number): Labels {
  return [
    { name: "instance", value: `i${instance}` },
    { name: "region", value: REGIONS[instance % REGIONS.length]! },
    { name: "version", value: lap === 0 ? version : `${version}+${lap}` },
  ];
}

const buildIds = new WeakMap<RealProfile, Map<number, Text>>();

function buildIdOf(source: RealProfile, lap: number): Text {
  const known = buildIds.get(source) ?? new Map<number, Text>();
  buildIds.set(source, known);
  const own = Buffer.from(source.mappings[0]?.buildId.bytes ?? []).toString("latin1");
  const made = known.get(lap) ?? { bytes: Buffer.from(own.slice(0, -4) + String(lap).padStart(4, "0"), "latin1") };
  known.set(lap, made);
  return made;
}

/** Rows of real profiles of one build, without replacement; equal ones are added, as the runtime would. */
function drawRows({ profiles }: RealBuild, draw: Draw, random: Random): RealRow[] {
  const sources = random.between(draw.minSources, draw.maxSources);
  const rows = Array.from({ length: sources }, () => random.pick(profiles).rows).flat();
  const percent = random.between(draw.minPercent, draw.maxPercent);
  const wanted = Math.min(rows.length, Math.max(1, Math.floor((rows.length * percent) / 100 / sources)));
  const drawn = new Map<RealStack, RealRow>();
  for (let nth = 0; nth < wanted; nth++) {
    const other = random.between(nth, rows.length - 1);
    const { stack, values } = rows[other]!;
    rows[other] = rows[nth]!;
    const same = drawn.get(stack);
    if (same === undefined) drawn.set(stack, { stack, values: [...values] });
    else same.values = same.values.map((value, column) => value + values[column]!);
  }
  return [...drawn.values()];
}
