// Contention as text: Go's debug=1 (mutex, block) and gperftools' contentionz.

import type { Limits } from "../../model/limits.ts";
import { invalidProfile } from "../invalid-profile.ts";
import {
  isSpaceOrComment,
  LineScanner,
  parseAddresses,
  parseAnyBase,
  parseDecimal,
  trim,
  truncateToInt64,
  wrapInt64,
} from "./byte-text.ts";
import { Draft, intoCalls } from "./draft.ts";
import { readTrailer } from "./memory-map.ts";

const HEADERS = ["--- contentionz ", "--- mutex:", "--- contention:"];
// Two numbers, or one of two digits and more, of which the last stands alone: as google/pprof's `(\d+) *(\d+) @` reads it.
const SAMPLE = /(?:(?<!\d)(\d+) +(\d+)|(?<!\d)(\d+)(\d)) @([ x0-9a-f]*)/;

export function parseContention(text: string, limits: Limits): Draft | undefined {
  const lines = new LineScanner(text, 0, limits);
  if (!lines.next() || !HEADERS.some((header) => lines.text.startsWith(header))) return undefined;
  const contentions = { type: "contentions", unit: "count" };
  const draft = new Draft([contentions, { type: "delay", unit: "nanoseconds" }], contentions, 1n, limits);
  const attributes = readAttributes(lines, draft);
  if (!attributes) return undefined;
  do {
    const line = trim(lines.text);
    if (line.startsWith("---")) break;
    if (isSpaceOrComment(line)) continue;
    const match = SAMPLE.exec(line);
    if (!match) return undefined;
    addSample(draft, match, attributes.cyclesPerSecond);
  } while (lines.next());
  readTrailer(lines, draft);
  return draft;
}

/** `name = value` lines, up to the first other line; undefined when one does not belong here. */
function readAttributes(lines: LineScanner, draft: Draft): { cyclesPerSecond: bigint } | undefined {
  let cyclesPerSecond = 0n;
  while (lines.next()) {
    const line = trim(lines.text);
    if (isSpaceOrComment(line)) continue;
    const equals = line.indexOf("=");
    if (line.startsWith("---") || equals < 0) break;
    const name = trim(line.slice(0, equals));
    if (name === "discarded samples") continue;
    const value = parseAnyBase(trim(line.slice(equals + 1)));
    if (value === undefined) return undefined;
    if (name === "cycles/second") cyclesPerSecond = value;
    else if (name === "sampling period") draft.period = value;
    else if (name === "ms since reset") draft.durationNs = wrapInt64(value * 1_000_000n);
    else return undefined;
  }
  return { cyclesPerSecond };
}

function addSample(draft: Draft, match: RegExpExecArray, cyclesPerSecond: bigint): void {
  const place = `contention sample ${draft.samples.length + 1}`;
  let delay = parseDecimal(match[1] ?? match[3]!);
  let contentions = parseDecimal(match[2] ?? match[4]!);
  const addresses = parseAddresses(match[5]!);
  if (delay === undefined || contentions === undefined) invalidProfile(`${place} has a number of more than 64 bits`);
  if (!addresses) invalidProfile(`${place} has an address of more than 64 bits`);
  if (draft.period > 0n) {
    if (cyclesPerSecond > 0n) {
      delay = truncateToInt64((Number(delay) * Number(draft.period)) / (Number(cyclesPerSecond) / 1e9));
    }
    contentions = wrapInt64(contentions * draft.period);
  }
  draft.add([contentions, delay], intoCalls(addresses));
}
