// What is in a sum, for people, on stderr.

import type { MergeSummary } from "../../gen/profusion/v1/profile_pb.ts";
import { amountText } from "./amount-text.ts";
import { countText } from "./count-text.ts";
import { formatLocalTime } from "./local-time.ts";
import { note, type OutputOptions, warn } from "./output.ts";
import { timeNsOf } from "./timestamp.ts";

export function tellSummary(summary: MergeSummary, options: OutputOptions): void {
  const { matched, merged, covered, sampleTypes, skipped, warnings } = summary;
  const times = [covered?.startTime, covered?.endTime].map((time) => time && formatLocalTime(timeNsOf(time)));
  const window = times[0] === undefined ? "" : `, from ${times[0]} to ${times[1]}`;
  note(`merged ${merged} of ${countText(matched, "profile")}${window}`, options);
  for (const { type, unit, total } of sampleTypes) note(`  ${type}: ${amountText(total, unit)}`, options);
  for (const { count, detail } of skipped) warn(`${count} of ${matched} skipped: ${detail}`, options);
  // The server says of each skip again, with ids, for those who read only the warnings.
  const isSkip = (warning: string) =>
    skipped.some(({ count, detail }) => warning.startsWith(`${count} skipped (`) && warning.includes(detail));
  for (const warning of warnings) if (!isSkip(warning)) warn(warning, options);
}
