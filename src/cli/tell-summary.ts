// What is in a sum, for people, on stderr.

import type { MergeSummary } from "../../gen/profusion/v1/profile_pb.ts";
import { formatLocalTime } from "./local-time.ts";
import { note, type OutputOptions, warn } from "./output.ts";
import { timeNsOf } from "./timestamp.ts";

export function tellSummary(summary: MergeSummary, options: OutputOptions): void {
  const { matched, merged, covered, sampleTypes, skipped, warnings } = summary;
  const times = [covered?.startTime, covered?.endTime].map((time) => time && formatLocalTime(timeNsOf(time)));
  const window = times[0] === undefined ? "" : `, from ${times[0]} to ${times[1]}`;
  note(`merged ${merged} of ${matched} profiles${window}`, options);
  for (const { type, unit, total } of sampleTypes) note(`  ${type}: ${total} ${unit}`, options);
  for (const { count, detail } of skipped) note(`  skipped ${count}: ${detail}`, options);
  for (const warning of warnings) warn(warning, options);
}
