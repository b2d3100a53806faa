// The memory map at the end of a legacy profile: reading its lines, and giving each address its mapping.

import type { Limits } from "../../model/limits.ts";
import { oversizedProfile } from "../invalid-profile.ts";
import type { Mapping } from "../profile.ts";
import { checkLine, type LineScanner, parseHex, trim } from "./byte-text.ts";
import type { Draft, DraftLocation } from "./draft.ts";

const UINT64_MAX = 2n ** 64n - 1n;
/** Where Linux loads executables that are not position-independent. */
const USUAL_START = 0x400000n;

export function isMemoryMapStart(line: string): boolean {
  return line.includes("--- Memory map: ---") || line.includes("MAPPED_LIBRARIES:");
}

/** Skips to the memory map, where there is one, reads it, and places the draft's addresses on it. */
export function readTrailer(lines: LineScanner, draft: Draft): void {
  while (!isMemoryMapStart(lines.text) && lines.next());
  readMemoryMap(lines, draft);
}

/** As `readTrailer`, where the map begins at once. */
export function readMemoryMap(lines: LineScanner, draft: Draft): void {
  draft.mappings = arrange(readMappings(lines, draft.limits));
  placeOnMappings(draft);
}

function readMappings(lines: LineScanner, limits: Limits): Mapping[] {
  const mappings: Mapping[] = [];
  const assignments: Assignment[] = [];
  while (lines.next()) {
    const line = substitute(lines.text.replace(LOG_PREFIX, ""), assignments, limits);
    const mapping = readMapping(line);
    if (mapping) mappings.push(mapping);
    if (mappings.length > limits.legacyMappings) {
      oversizedProfile(`its memory map has more than ${limits.legacyMappings} mappings`);
    }
    if (mapping !== undefined) continue;
    const equals = line.indexOf("=");
    if (equals >= 0) assign(assignments, trim(line.slice(0, equals)), trim(line.slice(equals + 1)), limits);
  }
  return mappings;
}

interface Assignment {
  /** With the "$" that it is referred to by. */
  name: string;
  value: string;
}

function assign(assignments: Assignment[], name: string, value: string, limits: Limits): void {
  if (assignments.some((known) => known.name === `$${name}`)) return; // the first one holds
  if (assignments.length >= limits.legacyAssignments) {
    oversizedProfile(`its memory map has more than ${limits.legacyAssignments} assignments`);
  }
  assignments.push({ name: `$${name}`, value });
}

/** Puts in the values of `$name`; where several names fit, the one that was assigned first. */
function substitute(line: string, assignments: readonly Assignment[], limits: Limits): string {
  if (assignments.length === 0) return line;
  let replaced = "";
  let at = 0;
  for (let dollar = line.indexOf("$"); dollar >= 0; dollar = line.indexOf("$", at)) {
    replaced += line.slice(at, dollar);
    const found = assignments.find(({ name }) => line.startsWith(name, dollar));
    replaced += found?.value ?? "$";
    at = dollar + (found?.name.length ?? 1);
    checkLine(replaced.length, limits);
  }
  return replaced + line.slice(at);
}

/** What a logger puts before its message, as in `I1120 14:00:00 main.cc:12] `. */
const LOG_PREFIX = /^[^[\]]+:[0-9]+\][\t\n\f\r ]/;

// google/pprof's patterns, rewritten so that failing takes linear time: a run of digits is cut only where a cut can fit.
const S = "[\\t\\n\\f\\r ]";
const HEX = "[0-9a-fA-F]";
const LAST_DIGIT = `(?=${HEX}(?!${HEX}))`;
const RANGE = `^${S}*(?:0x)?(?:(${HEX}+)(?!${HEX})[\\t\\n\\f\\r -]?${S}*(?:0x)?|(${HEX}+)0x|(${HEX}+)${LAST_DIGIT})(${HEX}+)(?!${HEX}):?`;
const PERMISSIONS = `(?:${S}+([-rwxp]+))?`;
const WORD = `(?:${S}+([^\\t\\n\\f\\r ]+))?`;
/** `00400000-00b29000 r-xp 00000000 08:01 42 /bin/main` of /proc/self/maps. */
const LINUX_MAP = new RegExp(`${RANGE}${PERMISSIONS}(?:${S}+(${HEX}+))?${S}+${HEX}+:${HEX}+${S}+[0-9]+${WORD}`);
/** `0x400000-0xb29000 r-xp /bin/main (@1000) abc123`, all but the range optional. */
const BRIEF_MAP = new RegExp(`${RANGE}${PERMISSIONS}${WORD}(?:${S}+\\(@(${HEX}+)\\))?(?:${S}+(${HEX}+))?`);

/** Undefined when the line is no mapping, null when it is one without code. */
function readMapping(line: string): Mapping | null | undefined {
  const linux = LINUX_MAP.exec(line);
  const match = linux ?? BRIEF_MAP.exec(line);
  if (!match) return undefined;
  const [, whole, before0x, cut, limitText, permissions, third, fourth, fifth] = match;
  if (permissions !== undefined && !permissions.includes("x")) return null;
  const start = parseHex(whole ?? before0x ?? cut ?? "");
  const limit = parseHex(limitText!);
  const offset = parseHex((linux ? third : fourth) ?? "");
  if (start === undefined || limit === undefined || offset === undefined) return undefined;
  const file = (linux ? fourth : third) ?? "";
  return { ...unnamed(), start, limit, offset, file, buildId: linux ? "" : (fifth ?? "") };
}

function unnamed(): Mapping {
  return {
    id: 0n,
    start: 0n,
    limit: 0n,
    offset: 0n,
    file: "",
    buildId: "",
    hasFunctions: false,
    hasFilenames: false,
    hasLineNumbers: false,
    hasInlineFrames: false,
  };
}

/** Joins neighbours that are one mapping in parts, and puts what looks like the main program first. */
function arrange(mappings: readonly Mapping[]): Mapping[] {
  const joined: Mapping[] = [];
  for (const mapping of mappings) {
    const last = joined.at(-1);
    if (!last || !continues(last, mapping)) {
      joined.push(mapping);
      continue;
    }
    last.limit = mapping.limit;
    if (mapping.file !== "") last.file = mapping.file;
    if (mapping.buildId !== "") last.buildId = mapping.buildId;
  }
  const main = joined.findIndex(({ file }) => isProgram(trim(file.replaceAll("(deleted)", ""))));
  if (main > 0) [joined[0], joined[main]] = [joined[main]!, joined[0]!];
  return joined;
}

function continues(last: Mapping, next: Mapping): boolean {
  const differ = (a: string, b: string) => a !== "" && b !== "" && a !== b;
  if (differ(last.file, next.file) || differ(last.buildId, next.buildId) || last.limit !== next.start) return false;
  if (last.offset === 0n || next.offset === 0n) return true;
  return BigInt.asUintN(64, last.offset + last.limit - last.start) === next.offset;
}

function isProgram(file: string): boolean {
  return file !== "" && !/[.]so$|[.]so[._][0-9]+/.test(file) && file[0] !== "[";
}

/** Numbers the locations and gives each with an address the first mapping that holds it, or a nameless one of all memory. */
export function placeOnMappings(draft: Draft): void {
  correctMain(draft);
  const placer = new Placer(draft);
  for (const location of draft.numberLocations()) placer.place(location);
  for (const [at, mapping] of draft.mappings.entries()) mapping.id = BigInt(at + 1);
}

function correctMain({ mappings }: Draft): void {
  const [first, second] = mappings;
  // The program's first pages, moved to huge ones.
  if (first?.file.startsWith("/anon_hugepage") && second?.start === first.limit) mappings.shift();
  const [main] = mappings;
  if (main && BigInt.asUintN(64, main.start - main.offset) === USUAL_START) {
    main.start = USUAL_START;
    main.offset = 0n;
  }
}

class Placer {
  readonly #draft: Draft;
  #checksLeft: number;
  #everything: Mapping | undefined;

  constructor(draft: Draft) {
    this.#draft = draft;
    this.#checksLeft = draft.limits.legacyMappingChecks;
  }

  place(location: DraftLocation): void {
    const { address } = location;
    if (address === 0n) return;
    location.mapping =
      this.#find(({ start, limit }) => start <= address && address < limit) ??
      this.#extend(address) ??
      this.#fallback();
  }

  #find(holds: (mapping: Mapping) => boolean): Mapping | undefined {
    for (const mapping of this.#draft.mappings) {
      if (this.#checksLeft-- === 0) {
        const { legacyMappingChecks } = this.#draft.limits;
        oversizedProfile(`its addresses and mappings need more than ${legacyMappingChecks} comparisons`);
      }
      if (holds(mapping)) return mapping;
    }
    return undefined;
  }

  /** Some writers leave out the first part of a mapping that was split: its offset says that it is missing. */
  #extend(address: bigint): Mapping | undefined {
    const mapping = this.#find(
      ({ start, offset }) => offset !== 0n && BigInt.asUintN(64, start - offset) <= address && address < start,
    );
    if (!mapping) return undefined;
    mapping.start = BigInt.asUintN(64, mapping.start - mapping.offset);
    mapping.offset = 0n;
    return mapping;
  }

  #fallback(): Mapping {
    if (!this.#everything) {
      this.#everything = { ...unnamed(), limit: UINT64_MAX };
      this.#draft.mappings.push(this.#everything);
    }
    return this.#everything;
  }
}
