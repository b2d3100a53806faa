// Contract ↔ model, both ways side by side. Messages come as clients wrote them and leave checked; nothing is asked of the repository here.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import * as contract from "../../gen/profusion/v1/profile_pb.ts";
import { MatchOperator as ContractOperator, type MatcherSchema } from "../../gen/profusion/v1/query_service_pb.ts";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { Matcher, MatchOperator } from "../model/matcher.ts";
import type { ProfileRecord } from "../model/profile-record.ts";
import { EVERYTHING, parseSelector, type Selector } from "../model/selector.ts";
import type { Aggregation, ValueType } from "../model/shape.ts";
import { type Interval, NS_PER_SECOND } from "../model/time.ts";
import type { MergeSummary, SampleTypeTotal, Selection, Skipped } from "../repository/repository.ts";

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

type TimestampFields = Pick<Timestamp, "seconds" | "nanos">;

export function timestampOf(timeNs: bigint): TimestampFields {
  const nanos = ((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  return { seconds: (timeNs - nanos) / NS_PER_SECOND, nanos: Number(nanos) };
}

interface EarliestTime {
  timeNs: bigint;
  day: string;
}

/** A profile may bear any time that fits 64 bits. */
const ANY_TIME: EarliestTime = { timeNs: INT64_MIN, day: "1677-09-22" };
const OF_QUERIES: EarliestTime = { timeNs: 0n, day: "1970-01-01" };

/** Nanoseconds that fit 64 bits. Throws `invalid` for others, and for what is no timestamp; `name` is the field's. */
export function timeNsOf({ seconds, nanos }: TimestampFields, name: string, earliest: EarliestTime = ANY_TIME): bigint {
  const timeNs = seconds * NS_PER_SECOND + BigInt(nanos);
  if (nanos >= 0 && nanos < 1_000_000_000 && timeNs >= earliest.timeNs && timeNs <= INT64_MAX) return timeNs;
  throw new DomainError(
    "invalid",
    `Cannot use ${name} of ${seconds} s and ${nanos} ns: nanos are 0 to 999999999, and it lies between ${earliest.day} and 2262-04-11`,
  );
}

export function durationOf(durationNs: bigint): Pick<Duration, "seconds" | "nanos"> {
  return { seconds: durationNs / NS_PER_SECOND, nanos: Number(durationNs % NS_PER_SECOND) };
}

export function intervalMessage({ startNs, endNs }: Interval): MessageInitShape<typeof contract.IntervalSchema> {
  return { startTime: timestampOf(startNs), endTime: timestampOf(endNs) };
}

/** Undefined where neither end is set. Throws `invalid` for times outside 1970–2262 and for an end before its start. */
export function intervalOf(message: contract.Interval | undefined): Interval | undefined {
  if (message?.startTime === undefined && message?.endTime === undefined) return undefined;
  const startNs = message.startTime ? timeNsOf(message.startTime, "interval.start_time", OF_QUERIES) : 0n;
  const endNs = message.endTime ? timeNsOf(message.endTime, "interval.end_time", OF_QUERIES) : INT64_MAX;
  if (endNs < startNs) throw new DomainError("invalid", "Cannot use an interval that ends before it starts");
  return { startNs, endNs };
}

/** The empty text is everything. */
export function selectorOf(text: string, limits: Limits): Selector {
  return text === "" ? EVERYTHING : parseSelector(text, limits);
}

/** What a merge is about. Throws `invalid` for a selection of nothing in particular. */
export function selectionOf(message: contract.Selection | undefined, limits: Limits): Selection {
  const { selector = "", profileIds = [], maxProfiles = 0, strategy = 0 } = message ?? {};
  const interval = intervalOf(message?.interval);
  if (maxProfiles < 0) {
    throw new DomainError("invalid", `Cannot take max_profiles ${maxProfiles}: it must be 0 (all) or more`);
  }
  const cut = {
    ...(maxProfiles > 0 && { maxProfiles }),
    strategy: namedValue(STRATEGIES, strategy, "strategy"),
  };
  if (profileIds.length > 0) {
    if (selector !== "" || interval !== undefined) {
      throw new DomainError("invalid", "Cannot use profile_ids together with a selector or an interval: send either");
    }
    if (maxProfiles > 0) {
      throw new DomainError("invalid", "Cannot use profile_ids together with max_profiles: name those that you want");
    }
    return { selector: EVERYTHING, ids: checkedIds(profileIds, limits), ...cut };
  }
  if (selector === "") {
    throw new DomainError(
      "invalid",
      'Cannot select nothing in particular: set selector, such as cpu{service="auth"}, or profile_ids',
    );
  }
  if (interval === undefined) {
    throw new DomainError("invalid", "Cannot sum all of time: set interval.start_time, interval.end_time or both");
  }
  return { selector: parseSelector(selector, limits), interval, ...cut };
}

function checkedIds(ids: readonly string[], limits: Limits): readonly string[] {
  if (ids.length <= limits.idsPerRequest) return ids;
  throw new DomainError(
    "invalid",
    `Cannot take ${ids.length} profile ids: at most ${limits.idsPerRequest} are allowed`,
  );
}

/** AIP-158: 0 is the default, too many is as many as are allowed. Throws `invalid` below 0. */
export function pageSizeOf(asked: number, limits: Limits): number {
  if (asked < 0) throw new DomainError("invalid", `Cannot use page_size ${asked}: it must be 0 or more`);
  return Math.min(asked || limits.pageSizeDefault, limits.pageSizeMax);
}

export function profileMessage(record: ProfileRecord): MessageInitShape<typeof contract.ProfileSchema> {
  return {
    id: record.id,
    service: record.service,
    profileType: record.type,
    labels: [...record.labels],
    sampleTypes: (record.shape?.columns ?? []).map((column, at) =>
      sampleTypeMessage({ aggregation: "delta", ...column, total: record.totals[at] ?? 0n }),
    ),
    ...(record.shape && { periodType: record.shape.periodType }),
    startTime: timestampOf(record.timeNs),
    startTimeSource: TIME_SOURCES[record.timeSource],
    ...(record.claimedTimeNs !== undefined && { claimedStartTime: timestampOf(record.claimedTimeNs) }),
    duration: durationOf(record.durationNs),
    receiveTime: timestampOf(record.receivedNs),
    sizeBytes: BigInt(record.sizeBytes),
    sampleCount: BigInt(record.sampleCount),
    digest: record.digest,
    externalId: record.externalId ?? "",
    submitter: record.submitter ?? "",
  };
}

export function summaryMessage(summary: MergeSummary): MessageInitShape<typeof contract.MergeSummarySchema> {
  return {
    ...(summary.interval && { interval: intervalMessage(summary.interval) }),
    ...(summary.covered && { covered: intervalMessage(summary.covered) }),
    matched: BigInt(summary.matched),
    merged: BigInt(summary.merged),
    skipped: summary.skipped.map(({ reason, count, ids, detail }) => ({
      reason: SKIP_REASONS[reason],
      count: BigInt(count),
      profileIds: [...ids],
      detail,
    })),
    packs: BigInt(summary.packs),
    loose: BigInt(summary.loose),
    sampleTypes: summary.sampleTypes.map(sampleTypeMessage),
    algorithmVersion: summary.algorithmVersion,
    etag: summary.etag,
    warnings: [...summary.warnings],
  };
}

function sampleTypeMessage({ type, unit, total, aggregation }: SampleTypeTotal) {
  return { type, unit, total, aggregation: AGGREGATIONS[aggregation] };
}

/** Undefined where none are asked for. */
export function valueTypesOf(messages: readonly contract.ValueType[], limits: Limits): ValueType[] | undefined {
  if (messages.length > limits.columnsPerRequest) {
    throw new DomainError(
      "invalid",
      `Cannot sum ${messages.length} sample types: at most ${limits.columnsPerRequest} are allowed`,
    );
  }
  return messages.length === 0 ? undefined : messages.map(({ type, unit }) => ({ type, unit }));
}

export function matcherMessage({ name, operator, value }: Matcher): MessageInitShape<typeof MatcherSchema> {
  return { name, operator: OPERATORS[operator], value };
}

/** The model's word for an enum's number. Throws `invalid` for a number that the contract does not have; `field` is the field's name. */
export function namedValue<Name extends string>(names: ReadonlyMap<number, Name>, value: number, field: string): Name {
  const name = names.get(value);
  if (name !== undefined) return name;
  throw new DomainError("invalid", `Cannot use ${field} ${value}: it is one of ${[...names.keys()].join(", ")}`);
}

const STRATEGIES = new Map<number, NonNullable<Selection["strategy"]>>([
  [contract.SelectionStrategy.UNSPECIFIED, "newest"],
  [contract.SelectionStrategy.NEWEST, "newest"],
  [contract.SelectionStrategy.SPREAD, "spread"],
  [contract.SelectionStrategy.MOST_CPU, "most_cpu"],
]);

const TIME_SOURCES: Record<ProfileRecord["timeSource"], contract.StartTimeSource> = {
  profile: contract.StartTimeSource.PROFILE,
  client: contract.StartTimeSource.CLIENT,
  receipt: contract.StartTimeSource.RECEIPT,
};

const AGGREGATIONS: Record<Aggregation, contract.Aggregation> = {
  delta: contract.Aggregation.DELTA,
  gauge: contract.Aggregation.GAUGE,
  cumulative: contract.Aggregation.CUMULATIVE,
};

const SKIP_REASONS: Record<Skipped["reason"], contract.SkipReason> = {
  limit: contract.SkipReason.LIMIT,
  shape: contract.SkipReason.SHAPE,
  damaged: contract.SkipReason.DAMAGED,
  absent: contract.SkipReason.ABSENT,
  duplicate: contract.SkipReason.DUPLICATE,
  trace: contract.SkipReason.TRACE,
  "start-line": contract.SkipReason.START_LINE,
  zero: contract.SkipReason.ZERO,
  policy: contract.SkipReason.POLICY,
  implausible: contract.SkipReason.IMPLAUSIBLE,
};

const OPERATORS: Record<MatchOperator, ContractOperator> = {
  "=": ContractOperator.EQUAL,
  "!=": ContractOperator.NOT_EQUAL,
  "=~": ContractOperator.MATCH,
  "!~": ContractOperator.NOT_MATCH,
};
