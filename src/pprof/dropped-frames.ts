// Frames that a profile itself says to leave out when it is shown (drop_frames, keep_frames): malloc below its callers, signal handlers.
// As google/pprof's RemoveUninteresting; stored profiles and merges keep all frames.

import type { Limits } from "../model/limits.ts";
import { compileProfilePattern } from "../model/regexp.ts";
import { FUNCTION_KEY, type Interner, LOCATION_HEAD } from "./interner.ts";
import { LINE_STRIDE } from "./location-table.ts";

/** By location of the interner. */
export interface DroppedFrames {
  /** Lines to leave out, from the innermost on. */
  readonly lines: Int32Array;
  /** 1: the location goes with all that it calls. 2: only what it calls and those lines go. 0: it stays. */
  readonly cuts: Uint8Array;
}

export const CUT_WHOLE = 1;
export const CUT_BELOW = 2;

/** Undefined where nothing is dropped. Byte strings; what is no expression drops nothing. */
export function droppedFrames(
  interner: Interner,
  { dropFrames, keepFrames }: { dropFrames: string; keepFrames: string },
  limits: Limits,
): DroppedFrames | undefined {
  const drops = dropFrames === "" ? undefined : compileProfilePattern(utf8(dropFrames), limits);
  const keeps = keepFrames === "" ? () => false : compileProfilePattern(utf8(keepFrames), limits);
  if (drops === undefined || keeps === undefined) return undefined;
  const known = new Map<number, boolean>();
  const isDropped = (fn: number) => {
    const name = interner.functions.data[fn * FUNCTION_KEY]!;
    if (name === 0) return false;
    let dropped = known.get(name);
    if (dropped === undefined) {
      const simple = simplifiedName(utf8(interner.strings.byteString(name)));
      dropped = drops(simple) && !keeps(simple);
      known.set(name, dropped);
    }
    return dropped;
  };
  const { data, ends, count } = interner.locations;
  const lines = new Int32Array(count);
  const cuts = new Uint8Array(count);
  for (let location = 0; location < count; location++) {
    const first = ends[location]! + LOCATION_HEAD;
    const lineCount = (ends[location + 1]! - first) / LINE_STRIDE;
    let line = lineCount - 1;
    while (line >= 0 && !isDropped(data[first + line * LINE_STRIDE]!)) line--;
    if (line < 0) continue;
    const isWhole = line === lineCount - 1;
    cuts[location] = isWhole ? CUT_WHOLE : CUT_BELOW;
    if (!isWhole) lines[location] = line + 1;
  }
  return { lines, cuts };
}

/** How many of a stack's locations, leaf first in `stack`, go. Nothing goes before the first frame from the root that stays. */
export function droppedCount(stack: Int32Array, depth: number, { cuts }: DroppedFrames): number {
  let hasUser = false;
  for (let at = depth - 1; at >= 0; at--) {
    const cut = cuts[stack[at]!]!;
    if (cut === 0) hasUser = true;
    else if (hasUser) return cut === CUT_WHOLE ? at + 1 : at;
  }
  return 0;
}

/** As google/pprof matches it: without the dot of PowerPC's ABI, and cut at the first parenthesis, where C++ has arguments and Go receivers. */
export function simplifiedName(name: string): string {
  const start = name.startsWith(".") ? 1 : 0;
  const text = name.slice(start);
  for (const { 0: found, index } of text.matchAll(/\(anonymous namespace\)|operator\(\)|\(/g)) {
    if (found === "(") return text.slice(0, index);
  }
  return text;
}

function utf8(byteString: string): string {
  return Buffer.from(byteString, "latin1").toString("utf8");
}
