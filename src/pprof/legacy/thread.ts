// gperftools' threadz: one stack for each thread, as text.

import type { Limits } from "../../model/limits.ts";
import { invalidProfile } from "../invalid-profile.ts";
import { isSpaceOrComment, LineScanner, parseAddresses, trim } from "./byte-text.ts";
import { Draft, dropRepeatedLeaves, intoCalls } from "./draft.ts";
import { isMemoryMapStart, readTrailer } from "./memory-map.ts";

export function parseThreads(text: string, limits: Limits): Draft | undefined {
  const lines = new LineScanner(text, 0, limits);
  while (lines.next() && isSpaceOrComment(lines.text));
  let line = lines.text;
  if (/--- threadz \d+ ---/.test(line)) line = skipIntroduction(lines);
  else if (!isThreadStart(line)) return undefined;

  const column = { type: "thread", unit: "count" };
  const draft = new Draft([column], column, 1n, limits);
  while (!isMemoryMapStart(line) && !line.startsWith("---- no stack trace for")) {
    if (!isThreadStart(line)) return undefined;
    const thread = readThread(lines, draft);
    line = thread.nextLine;
    if (thread.addresses.length > 0) {
      const [leaf, ...callers] = thread.addresses;
      draft.add([1n], [leaf!, ...intoCalls(callers)]);
      continue;
    }
    // "[same as previous thread]"
    const last = draft.samples.at(-1);
    if (last) last.values[0]! += 1n;
  }
  readTrailer(lines, draft);
  dropRepeatedLeaves(draft);
  return draft;
}

function skipIntroduction(lines: LineScanner): string {
  let line = lines.text;
  while (lines.next()) {
    line = lines.text;
    if (isMemoryMapStart(line) || line.startsWith("-")) break;
  }
  return line;
}

/** `--- Thread 7f794ab90940 (name: main/14748) stack: ---`, in two steps, so that no line takes more than linear time. */
function isThreadStart(line: string): boolean {
  const start = /--- Thread [0-9a-fA-F]+ \(name: /.exec(line);
  return start !== null && /\/\d+\) stack: ---/.test(line.slice(start.index + start[0].length));
}

/** The addresses of one thread, none where it is like the one before, and the line behind it. */
function readThread(lines: LineScanner, draft: Draft): { nextLine: string; addresses: bigint[] } {
  const addresses: bigint[] = [];
  let isSame = false;
  let line = "";
  while (lines.next()) {
    line = trim(lines.text);
    if (line.startsWith("---")) break;
    if (line === "") continue;
    if (line.includes("same as previous thread")) {
      isSame = true;
      continue;
    }
    const found = parseAddresses(line);
    if (!found) invalidProfile(`the stack of thread ${draft.samples.length + 1} has an address of more than 64 bits`);
    for (const address of found) addresses.push(address);
  }
  return { nextLine: line, addresses: isSame ? [] : addresses };
}
