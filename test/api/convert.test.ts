// Contract ↔ model: nothing is lost on the way, and what cannot be meant is refused with the field's name.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  Aggregation,
  IntervalSchema,
  SelectionSchema,
  type SelectionStrategy,
  StartTimeSource,
} from "../../gen/profusion/v1/profile_pb.ts";
import {
  durationOf,
  intervalMessage,
  intervalOf,
  pageSizeOf,
  profileMessage,
  selectionOf,
  summaryMessage,
  timeNsOf,
  timestampOf,
} from "../../src/api/convert.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { mergeAnswer, profileRecord } from "../support/stub-repository.ts";

const INTERVAL = { startTime: { seconds: 10n, nanos: 1 }, endTime: { seconds: 20n } };

describe("times", () => {
  test.each([0n, 1n, -1n, 1_790_000_000_123_456_789n, -1_500_000_000n, 2n ** 63n - 1n, -(2n ** 63n)])(
    "%s ns comes back",
    (timeNs) => {
      const { seconds, nanos } = timestampOf(timeNs);
      expect(nanos).toBeGreaterThanOrEqual(0);
      expect(timeNsOf({ seconds, nanos }, "time")).toBe(timeNs);
    },
  );

  test.each([
    { seconds: 0n, nanos: -1 },
    { seconds: 0n, nanos: 1_000_000_000 },
    { seconds: 9_223_372_037n, nanos: 0 },
    { seconds: 2n ** 63n - 1n, nanos: 0 },
  ])("$seconds s and $nanos ns is no time", (timestamp) => {
    expect(() => timeNsOf(timestamp, "metadata.start_time")).toThrow(/Cannot use metadata.start_time of/);
  });

  test("a negative duration has both parts negative, as the format demands", () => {
    expect(durationOf(-1_500_000_000n)).toEqual({ seconds: -1n, nanos: -500_000_000 });
  });
});

describe("intervals", () => {
  test("come back as they were", () => {
    const interval = { startNs: 10_000_000_001n, endNs: 20_000_000_000n };
    expect(intervalOf(create(IntervalSchema, INTERVAL))).toEqual(interval);
    expect(intervalOf(create(IntervalSchema, intervalMessage(interval)))).toEqual(interval);
  });

  test("without an end are open there, and without both are none", () => {
    expect(intervalOf(create(IntervalSchema, { startTime: INTERVAL.startTime }))?.endNs).toBe(2n ** 63n - 1n);
    expect(intervalOf(create(IntervalSchema, { endTime: INTERVAL.endTime }))?.startNs).toBe(0n);
    expect(intervalOf(create(IntervalSchema, {}))).toBeUndefined();
  });

  test.each<[string, MessageInitShape<typeof IntervalSchema>, RegExp]>([
    [
      "that end before they start",
      { startTime: INTERVAL.endTime, endTime: INTERVAL.startTime },
      /ends before it starts/,
    ],
    ["before 1970", { startTime: { seconds: -1n } }, /interval.start_time .* between 1970-01-01 and 2262-04-11/],
    ["after 2262", { endTime: { seconds: 9_300_000_000n } }, /interval.end_time/],
  ])("%s are refused", (_, interval, message) => {
    expect(() => intervalOf(create(IntervalSchema, interval))).toThrow(message);
  });
});

describe("selections", () => {
  test.each<[string, MessageInitShape<typeof SelectionSchema>, RegExp]>([
    ["nothing", {}, /nothing in particular/],
    ["no interval", { selector: "cpu" }, /all of time/],
    ["ids and a selector", { selector: "cpu", profileIds: ["a"] }, /send either/],
    ["ids and a number", { profileIds: ["a"], maxProfiles: 1 }, /together with max_profiles/],
    ["too many ids", { profileIds: Array<string>(3001).fill("a") }, /at most 3000/],
    ["less than no profiles", { selector: "cpu", interval: INTERVAL, maxProfiles: -1 }, /max_profiles -1/],
    [
      "a strategy of the future",
      { selector: "cpu", interval: INTERVAL, strategy: 77 as SelectionStrategy },
      /strategy 77/,
    ],
    ["a selector that cannot be read", { selector: "cpu{", interval: INTERVAL }, /Cannot read selector/],
  ])("of %s are refused", (_, selection, message) => {
    expect(() => selectionOf(create(SelectionSchema, selection), DEFAULT_LIMITS)).toThrow(message);
  });

  test("of ids keep them in their order", () => {
    expect(selectionOf(create(SelectionSchema, { profileIds: ["b", "a"] }), DEFAULT_LIMITS)).toMatchObject({
      ids: ["b", "a"],
    });
  });
});

test("page sizes: 0 is the default, too many is as many as are allowed, less than none is refused", () => {
  expect([0, 1, 1000, 5000].map((asked) => pageSizeOf(asked, DEFAULT_LIMITS))).toEqual([100, 1, 1000, 1000]);
  expect(pageSizeOf(0, { ...DEFAULT_LIMITS, pageSizeMax: 50 })).toBe(50);
  expect(() => pageSizeOf(-1, DEFAULT_LIMITS)).toThrow(/page_size -1/);
});

test("a profile's message says all that its record says, 64-bit totals whole", () => {
  expect(profileMessage(profileRecord({ claimedTimeNs: 0n, externalId: "mine", submitter: "10.0.0.1" }))).toEqual({
    id: "01ks000000000000000000000a",
    service: "auth",
    profileType: "cpu",
    labels: [{ name: "version", value: "1.0.0" }],
    sampleTypes: [
      { type: "samples", unit: "count", total: 2n, aggregation: Aggregation.DELTA },
      { type: "cpu", unit: "nanoseconds", total: 2n ** 62n + 1n, aggregation: Aggregation.DELTA },
    ],
    periodType: { type: "cpu", unit: "nanoseconds" },
    startTime: { seconds: 1_790_000_000n, nanos: 123_456_789 },
    startTimeSource: StartTimeSource.PROFILE,
    claimedStartTime: { seconds: 0n, nanos: 0 },
    duration: { seconds: 10n, nanos: 1 },
    receiveTime: { seconds: 1_790_000_010n, nanos: 0 },
    sizeBytes: 3n,
    sampleCount: 2n,
    digest: new Uint8Array(32).fill(7),
    externalId: "mine",
    submitter: "10.0.0.1",
  });
});

test("a summary's message counts in 64 bits and keeps its reasons", () => {
  const { summary } = mergeAnswer(new Uint8Array(), {
    covered: { startNs: 1n, endNs: 2n },
    skipped: [{ reason: "damaged", count: 3, ids: ["a"], detail: "bad checksum" }],
  });
  expect(summaryMessage(summary)).toMatchObject({
    covered: { startTime: { seconds: 0n, nanos: 1 }, endTime: { seconds: 0n, nanos: 2 } },
    matched: 1n,
    skipped: [{ reason: 3, count: 3n, profileIds: ["a"], detail: "bad checksum" }],
  });
});
