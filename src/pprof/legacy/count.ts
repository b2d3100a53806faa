// Go's debug=1 text of counted stacks: goroutine, threadcreate, and profiles of a program's own.

import type { Limits } from "../../model/limits.ts";
import { invalidProfile } from "../invalid-profile.ts";
import { isSpaceOrComment, LineScanner, parseAddresses, parseAnyBase } from "./byte-text.ts";
import { Draft, intoCalls } from "./draft.ts";
import { readTrailer } from "./memory-map.ts";

const HEADER = /^([^\t\n\f\r ]+) profile: total \d+$/;
const SAMPLE = /^(\d+) @((?: 0x[0-9a-f]+)+)$/;

export function parseCount(text: string, limits: Limits): Draft | undefined {
  const lines = new LineScanner(text, 0, limits);
  while (lines.next() && isSpaceOrComment(lines.text));
  const type = HEADER.exec(lines.text)?.[1];
  if (type === undefined) return undefined;
  const column = { type, unit: "count" };
  const draft = new Draft([column], column, 1n, limits);
  while (lines.next()) {
    if (isSpaceOrComment(lines.text)) continue;
    if (lines.text.startsWith("---")) break;
    const match = SAMPLE.exec(lines.text);
    const count = match ? parseAnyBase(match[1]!) : undefined;
    const addresses = match ? parseAddresses(match[2]!) : undefined;
    if (count === undefined || !addresses) {
      invalidProfile(`stack ${draft.samples.length + 1} of its ${type} text is not "count @ addresses"`);
    }
    draft.add([count], intoCalls(addresses));
  }
  readTrailer(lines, draft);
  return draft;
}
