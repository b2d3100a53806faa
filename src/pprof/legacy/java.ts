// Java's heapz and contentionz as text, and the table of names at the end of these and of Java's CPU profiles.

import type { Limits } from "../../model/limits.ts";
import { invalidProfile } from "../invalid-profile.ts";
import type { ProfileFunction } from "../profile.ts";
import { parseAddresses, parseAnyBase, parseDecimal, parseHex, trim, wrapInt64 } from "./byte-text.ts";
import { Draft, sizeLabel } from "./draft.ts";
import { scale } from "./heap.ts";
import { placeOnMappings } from "./memory-map.ts";

/** Mean bytes between samples of the Java agent's heap profiles. */
const HEAP_PERIOD = 524_288n;

// `(?<!…)`: only from the start of a run, so that a line of nothing else takes linear time.
const ATTRIBUTE = /(?<![\w ])([\w ]+)=([\w ]+)/;
const SAMPLE = /(?<!\d)(\d+) +(\d+) +@ +([ x0-9a-f]*)/;
const FRAME = /^0x([0-9a-fA-F]+)[\t\n\f\r ]+(.*)$/s;

type Kind = "heap" | "contention";

/** Goes through lines that end in "\n"; what follows the last one stays for the table of names. */
class Cursor {
  readonly text: string;
  at: number;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
  }

  /** The trimmed line, or undefined when there is no end of line any more. */
  peek(): { line: string; next: number } | undefined {
    const newline = this.text.indexOf("\n", this.at);
    return newline < 0 ? undefined : { line: trim(this.text.slice(this.at, newline)), next: newline + 1 };
  }
}

export function parseJava(text: string, limits: Limits): Draft | undefined {
  const cursor = new Cursor(text, 0);
  const header = cursor.peek();
  const kind =
    header && { "--- heapz 1 ---": "heap" as const, "--- contentionz 1 ---": "contention" as const }[header.line];
  if (!kind) return undefined;
  cursor.at = header.next;
  const draft = new Draft([], { type: "", unit: "" }, 0n, limits);
  if (!readAttributes(cursor, kind, draft)) return undefined;
  readSamples(cursor, kind, draft);
  nameJavaFrames(text.slice(cursor.at), draft);
  return draft;
}

/** False when an attribute does not belong here. */
function readAttributes(cursor: Cursor, kind: Kind, draft: Draft): boolean {
  for (let peeked = cursor.peek(); peeked; peeked = cursor.peek()) {
    if (peeked.line !== "") {
      const match = ATTRIBUTE.exec(peeked.line);
      if (!match) return true;
      if (!takeAttribute(kind, trim(match[1]!), trim(match[2]!), draft)) return false;
    }
    cursor.at = peeked.next;
  }
  return true;
}

function takeAttribute(kind: Kind, name: string, value: string, draft: Draft): boolean {
  if (name === "format") return value === "java";
  if (name === "resolution") {
    draft.sampleTypes =
      kind === "heap"
        ? [
            { type: "inuse_objects", unit: "count" },
            { type: "inuse_space", unit: value },
          ]
        : [
            { type: "contentions", unit: "count" },
            { type: "delay", unit: value },
          ];
    return true;
  }
  if (kind !== "contention" || (name !== "sampling period" && name !== "ms since reset")) return false;
  const number = parseAnyBase(value);
  if (number === undefined) invalidProfile(`its attribute "${name}" is no whole number of 64 bits`);
  if (name === "ms since reset") draft.durationNs = wrapInt64(number * 1_000_000n);
  else {
    draft.periodType = { type: "contentions", unit: "count" };
    draft.period = number;
  }
  return true;
}

function readSamples(cursor: Cursor, kind: Kind, draft: Draft): void {
  for (let peeked = cursor.peek(); peeked; peeked = cursor.peek()) {
    if (peeked.line !== "") {
      const match = SAMPLE.exec(peeked.line);
      if (!match) return;
      addSample(kind, match, draft);
    }
    cursor.at = peeked.next;
  }
}

/** Java writes the amount before the count. */
function addSample(kind: Kind, match: RegExpExecArray, draft: Draft): void {
  const place = `Java ${kind} sample ${draft.samples.length + 1}`;
  const amount = parseAnyBase(match[1]!);
  const count = parseAnyBase(match[2]!);
  const addresses = parseAddresses(match[3]!);
  if (amount === undefined || count === undefined) invalidProfile(`${place} has a number that is not of 64 bits`);
  if (!addresses) invalidProfile(`${place} has an address of more than 64 bits`);
  if (kind === "heap") {
    if (count === 0n) invalidProfile(`${place} has ${amount} bytes in 0 objects`);
    draft.add(scale(count, amount, HEAP_PERIOD), addresses, sizeLabel(wrapInt64(amount / count)));
  } else {
    const factor = draft.period === 0n ? 1n : draft.period;
    draft.add([wrapInt64(count * factor), wrapInt64(amount * factor)], addresses);
  }
}

/** Reads `0x1f Class.method (File.java:12)` lines. The addresses are mere numbers of frames, and go. */
export function nameJavaFrames(table: string, draft: Draft): void {
  const functions = new Map<string, ProfileFunction>();
  for (let at = 0; at < table.length; ) {
    const newline = table.indexOf("\n", at);
    const end = newline < 0 ? table.length : newline;
    nameFrame(trim(table.slice(at, end)), functions, draft);
    at = end + 1;
  }
  placeOnMappings(draft);
  for (const { stack } of draft.samples) for (const location of stack) location.address = 0n;
}

function nameFrame(line: string, functions: Map<string, ProfileFunction>, draft: Draft): void {
  const match = FRAME.exec(line);
  if (!match) return;
  const address = parseHex(match[1]!);
  if (address === undefined) invalidProfile("its table of Java frames has an address of more than 64 bits");
  const location = draft.find(address);
  if (!location) return;
  const { name, file, line: lineNumber } = readFrame(match[2]!);
  const fn = functions.get(name) ?? { id: 0n, name, systemName: name, file, startLine: 0n };
  functions.set(name, fn);
  location.line = { fn, line: lineNumber };
  location.address = 0n;
}

/** `method (File.java:12)`, `function (/lib/libjvm.so)`, a stub, or a state of the machine such as "GC". */
function readFrame(text: string): { name: string; file: string; line: bigint } {
  const colon = text.lastIndexOf(":");
  const lineText = /^-?\d+(?=\)$)/.exec(text.slice(colon + 1))?.[0];
  const openLine = colon < 0 || lineText === undefined ? -1 : openingBefore(text, colon - 1);
  if (openLine >= 0) {
    const line = parseDecimal(lineText!) ?? 0n;
    return { name: text.slice(0, openLine - 1), file: text.slice(openLine + 1, colon), line: line > 0n ? line : 0n };
  }
  const openPath = text.endsWith(")") ? openingBefore(text, text.length - 1) : -1;
  if (openPath >= 0)
    return { name: text.slice(0, openPath - 1), file: baseName(text.slice(openPath + 1, -1)), line: 0n };
  return { name: text.includes("generated stub/JIT") ? "STUB" : text, file: "", line: 0n };
}

/** The last "(" before `end` with white space in front of it; -1 for none. */
function openingBefore(text: string, end: number): number {
  let open = text.lastIndexOf("(", end - 1);
  while (open > 0 && !/[\t\n\f\r ]/.test(text[open - 1]!)) open = text.lastIndexOf("(", open - 1);
  return open > 0 ? open : -1;
}

/** The last part of a path, as Go's filepath.Base says. */
function baseName(path: string): string {
  if (path === "") return ".";
  const trimmed = path.replace(/(?<!\/)\/+$/, "");
  return trimmed === "" ? "/" : trimmed.slice(trimmed.lastIndexOf("/") + 1);
}
