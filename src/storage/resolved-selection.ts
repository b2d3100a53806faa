// Which series a selector means, as the series index knows them at one moment. Finding their profiles is a driver's.

import type { Limits } from "../model/limits.ts";
import { compileMatcher, type Matcher } from "../model/matcher.ts";
import { regexpDeadline } from "../model/regexp.ts";
import type { Selector } from "../model/selector.ts";
import type { MatchElsewhere } from "./label-index.ts";
import type { SeriesGroup, SeriesIndex } from "./series-index.ts";

/** The series that a selector means, for a thread that has no index. */
export interface ResolvedSelection {
  /** The (service, type) pairs that have selected profiles, and how many they have in all. */
  groups: { serviceId: number; typeId: number; rows: number }[];
  /** The commit up to which all this is true: later profiles must be left out. */
  seq: number;
  /** By series id: 1 for a selected one. Absent where all series of the groups are selected and the groups are few, or all. */
  series?: Uint8Array<ArrayBuffer>;
  everything: boolean;
  seriesCount: number;
  /** Profiles of the selected series, and of all. */
  rows: number;
  totalRows: number;
  /** No selected profile starts before or after, in ms. */
  firstMs: number;
  lastMs: number;
}

/** So many groups are worth a scan each; beyond it one scan of all profiles by id is cheaper. */
export const GROUP_SCANS = 4;

export interface ResolveOptions {
  limits: Limits;
  /** Tests regular expressions over many values. */
  matchElsewhere: MatchElsewhere;
  /** Ask for `series` whatever is selected. */
  needsSeries: boolean;
}

/** The answer holds for the moment in which this resolves. Throws `too-large` where the selector's expressions take long. */
export async function resolveSelection(
  index: SeriesIndex,
  selector: Selector,
  { limits, matchElsewhere, needsSeries }: ResolveOptions,
): Promise<ResolvedSelection> {
  const patterns = selector.labels.map(({ value }) => value).join(" ");
  const deadline = regexpDeadline(patterns, selector.labels.length, limits);
  for (const matcher of selector.labels) {
    deadline();
    await index.labels.prepare(matcher, matchElsewhere);
  }
  const groups = selectGroups(index, selector, limits);
  const everything = groups.reduce((sum, { rows }) => sum + rows, 0) === index.rows;
  const isWhole = selector.labels.length === 0 && (everything || groups.length <= GROUP_SCANS);
  return isWhole && !needsSeries ? wholeGroups(index, groups, everything) : someSeries(index, selector, groups);
}

function selectGroups(index: SeriesIndex, selector: Selector, limits: Limits): SeriesGroup[] {
  const service = memoTest(selector.services, limits);
  const type = memoTest(selector.types, limits);
  return index.groups.filter((group) => group.rows > 0 && service(group.service) && type(group.type));
}

function wholeGroups(index: SeriesIndex, groups: readonly SeriesGroup[], everything: boolean): ResolvedSelection {
  return {
    groups: groups.map(forThread),
    seq: index.takenSeq,
    everything,
    seriesCount: groups.reduce((sum, { series }) => sum + series.length, 0),
    rows: groups.reduce((sum, { rows }) => sum + rows, 0),
    totalRows: index.rows,
    firstMs: 0,
    lastMs: Number.POSITIVE_INFINITY,
  };
}

function someSeries(index: SeriesIndex, selector: Selector, groups: readonly SeriesGroup[]): ResolvedSelection {
  const { groupOf, rowsOf, firstMsOf, lastMsOf } = index.columns();
  const hits = new Uint8Array(index.lastSeriesId + 1);
  for (const matcher of selector.labels) index.labels.exclude(matcher, hits);
  const required = selector.labels.filter((matcher) => index.labels.requiresName(matcher));
  let candidates = groups.map((group) => group.series.view());
  for (const [round, matcher] of required.entries()) candidates = [index.labels.raise(matcher, hits, round).view()];
  const series = new Uint8Array(hits.length);
  const selected = new Set(groups);
  const rowsInGroup = Float64Array.from(index.groups, (group) => (selected.has(group) ? 0 : -1));
  let [seriesCount, rows, firstMs, lastMs] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const ids of candidates) {
    for (const seriesId of ids) {
      const own = rowsOf[seriesId]!;
      const group = groupOf[seriesId]!;
      if (hits[seriesId] !== required.length || own === 0 || rowsInGroup[group]! < 0) continue;
      series[seriesId] = 1;
      seriesCount++;
      rows += own;
      rowsInGroup[group]! += own;
      if (firstMsOf[seriesId]! < firstMs) firstMs = firstMsOf[seriesId]!;
      if (lastMsOf[seriesId]! > lastMs) lastMs = lastMsOf[seriesId]!;
    }
  }
  return {
    groups: index.groups.filter((_, at) => rowsInGroup[at]! > 0).map(forThread),
    series,
    seq: index.takenSeq,
    everything: false,
    seriesCount,
    rows,
    totalRows: index.rows,
    firstMs,
    lastMs,
  };
}

function forThread({ serviceId, typeId, rows }: SeriesGroup): ResolvedSelection["groups"][number] {
  return { serviceId, typeId, rows };
}

/** All matchers on one name; each distinct value is tested once. */
function memoTest(matchers: readonly Matcher[], limits: Limits): (value: string) => boolean {
  const tests = matchers.map((matcher) => compileMatcher(matcher, limits));
  const deadline = regexpDeadline(matchers.map(({ value }) => value).join(" "), matchers.length, limits);
  const known = new Map<string, boolean>();
  return (value) => {
    let holds = known.get(value);
    if (holds === undefined) {
      deadline();
      holds = tests.every((test) => test([value]));
      known.set(value, holds);
    }
    return holds;
  };
}
