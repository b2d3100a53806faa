// What is to be packed now, and into what: closed hours with many profiles, days when they are over, late arrivals, sets with many
// deletions. Pure; src/repository/packer.ts does it.

import type { Limits } from "../model/limits.ts";
import { NS_PER_MS } from "../model/time.ts";
import type { LooseHour, PackKey, PackLevel, PackRunRequest, PackSet } from "../storage/pack-catalog.ts";

export const HOUR_NS = 3_600_000_000_000n;
export const DAY_NS = 24n * HOUR_NS;

export interface PackPlan {
  request: PackRunRequest;
  replaces: readonly number[];
  /** As far as is known now. */
  profiles: number;
  reason: "hour" | "day" | "late" | "deletions";
}

export interface PackSituation {
  hours: readonly LooseHour[];
  /** At least those that overlap the days of `hours`, those of level hour, and those with deletions enough. */
  sets: readonly PackSet[];
  nowNs: bigint;
  limits: Limits;
  /** Not only what is closed: all that is loose. */
  everything: boolean;
  /** Whether no set of this window is to be made now, since that failed. Default: of none. */
  isWaiting?: (window: PackKey & { startNs: bigint; endNs: bigint }) => boolean;
}

/** More sets of one window than this are joined, however small the last ones are: a merge opens each. */
const SETS_OF_WINDOW_MAX = 4;
/** Arrivals that never stop do not keep a window open for longer. */
const GRACES_WAITED = 6n;

/** In the order of the days, one plan for each window at most. */
export function planPacks(situation: PackSituation): PackPlan[] {
  const { isWaiting = () => false } = situation;
  return [...daysOf(situation).values()]
    .sort((a, b) => (a.startNs < b.startNs ? -1 : 1))
    .flatMap((day) => {
      // What of it can be packed by hours is: a set that cannot be read must not keep the others of its day from that.
      const isStuck = isWaiting({ ...day.key, startNs: day.startNs, endNs: day.startNs + DAY_NS });
      return isStuck ? planHours(day, situation) : planDay(day, situation);
    })
    .filter(({ request }) => !isWaiting(request));
}

/** All of one key and one day (UTC). */
interface Day {
  key: PackKey;
  startNs: bigint;
  hours: LooseHour[];
  sets: PackSet[];
}

function daysOf({ hours, sets }: PackSituation): Map<string, Day> {
  const days = new Map<string, Day>();
  const dayOf = ({ serviceId, typeId, shapeId, startNs }: PackKey & { startNs: bigint }): Day => {
    const dayNs = startNs - (startNs % DAY_NS);
    const name = `${serviceId} ${typeId} ${shapeId} ${dayNs}`;
    const day = days.get(name) ?? { key: { serviceId, typeId, shapeId }, startNs: dayNs, hours: [], sets: [] };
    days.set(name, day);
    return day;
  };
  for (const hour of hours) dayOf(hour).hours.push(hour);
  for (const set of sets) dayOf(set).sets.push(set);
  return days;
}

function planDay(day: Day, situation: PackSituation): PackPlan[] {
  const { hours, sets } = day;
  const rewrites = sets.some((set) => needsRewrite(set, situation.limits));
  const ofDay = { ...day, lengthNs: DAY_NS, level: "day" as const };
  if (!isClosed(day.startNs + DAY_NS, hours, situation)) {
    if (rewrites && sets.every(({ level }) => level === "day")) return [joined(ofDay, "deletions")];
    return planHours(day, situation);
  }
  const isDay = sets.every(({ level }) => level === "day");
  if (!isDay || (sets.length === 0 && hours.length > 0)) return [joined(ofDay, "day")];
  if (rewrites) return [joined(ofDay, "deletions")];
  return hours.length === 0 ? [] : planLate(ofDay, situation);
}

/** What came after its day was packed. */
function planLate(day: Day & { lengthNs: bigint; level: PackLevel }, situation: PackSituation): PackPlan[] {
  const { hours, sets } = day;
  const { limits, nowNs, everything } = situation;
  const late = countOf(hours);
  const packed = sets.reduce((sum, set) => sum + profilesOf(set), 0);
  if (late * 4 >= packed || sets.length >= SETS_OF_WINDOW_MAX) return [joined(day, "late")];
  const waited = hours.some(({ firstReceivedNs }) => nowNs - firstReceivedNs >= BigInt(limits.packLateMs) * NS_PER_MS);
  return late >= limits.packHourProfiles || waited || everything ? [added(day, "late")] : [];
}

function planHours({ key, hours, sets }: Day, situation: PackSituation): PackPlan[] {
  const { limits, everything } = situation;
  const starts = new Set([...hours.map(({ startNs }) => startNs), ...sets.map(({ startNs }) => startNs)]);
  return [...starts]
    .sort((a, b) => (a < b ? -1 : 1))
    .flatMap((startNs) => {
      const hour = {
        key,
        startNs,
        hours: hours.filter((loose) => loose.startNs === startNs),
        sets: sets.filter((set) => set.startNs < startNs + HOUR_NS && set.endNs > startNs),
        lengthNs: HOUR_NS,
        level: "hour" as const,
      };
      // A set of the whole day is in the way: what is loose joins it when the day is over.
      if (hour.sets.some(({ level }) => level === "day"))
        return everything && hour.hours.length > 0 ? [added(hour, "late")] : [];
      if (hour.sets.some((set) => needsRewrite(set, limits))) return [joined(hour, "deletions")];
      const isDue = everything
        ? hour.hours.length > 0
        : countOf(hour.hours) >= limits.packHourProfiles && isClosed(startNs + HOUR_NS, hour.hours, situation);
      if (!isDue) return [];
      return hour.sets.length >= SETS_OF_WINDOW_MAX ? [joined(hour, "hour")] : [added(hour, "hour")];
    });
}

type Window = Day & { lengthNs: bigint; level: PackLevel };

/** One set of all that is in the window, packed or not. */
function joined({ key, startNs, lengthNs, level, hours, sets }: Window, reason: PackPlan["reason"]): PackPlan {
  return {
    request: { ...key, level, startNs, endNs: startNs + lengthNs, seqFrom: 1 },
    replaces: sets.map(({ setId }) => setId),
    profiles: countOf(hours) + sets.reduce((sum, set) => sum + profilesOf(set), 0),
    reason,
  };
}

/** A further set, of what came after those that are there. */
function added({ key, startNs, lengthNs, level, hours, sets }: Window, reason: PackPlan["reason"]): PackPlan {
  const seqFrom = 1 + sets.reduce((last, { coversSeq }) => Math.max(last, coversSeq), 0);
  return {
    request: { ...key, level, startNs, endNs: startNs + lengthNs, seqFrom },
    replaces: [],
    profiles: countOf(hours),
    reason,
  };
}

/** Over, and nothing came for a while, or something has waited for long: an import of old profiles is packed when it has ended. */
function isClosed(endNs: bigint, hours: readonly LooseHour[], { nowNs, limits, everything }: PackSituation): boolean {
  if (everything) return endNs <= nowNs;
  const graceNs = BigInt(limits.packGraceMs) * NS_PER_MS;
  const isQuiet = hours.every(({ lastReceivedNs }) => lastReceivedNs + graceNs <= nowNs);
  const hasWaited = hours.some(({ firstReceivedNs }) => firstReceivedNs + graceNs * GRACES_WAITED <= nowNs);
  return endNs + graceNs <= nowNs && (isQuiet || hasWaited);
}

function needsRewrite(set: PackSet, { packRewritePercent }: Limits): boolean {
  return set.deleted.length > 0 && set.deleted.length * 100 >= profilesOf(set) * packRewritePercent;
}

function countOf(hours: readonly LooseHour[]): number {
  return hours.reduce((sum, { profiles }) => sum + profiles, 0);
}

export function profilesOf({ packs }: PackSet): number {
  return packs.reduce((sum, { profiles }) => sum + profiles, 0);
}

/** Whether the plan packs what is loose of the hour. */
export function isInside({ request }: PackPlan, hour: PackKey & { startNs: bigint }) {
  return (
    hour.serviceId === request.serviceId &&
    hour.typeId === request.typeId &&
    hour.shapeId === request.shapeId &&
    hour.startNs >= request.startNs &&
    hour.startNs < request.endNs
  );
}
