// CPU profiles of gperftools: words of 32 or 64 bits in either order, then a memory map as text, or Java's names.

import type { Limits } from "../../model/limits.ts";
import { byteText, LineScanner, wrapInt64 } from "./byte-text.ts";
import { checkFrames, Draft, dropRepeatedLeaves, intoCalls } from "./draft.ts";
import { nameJavaFrames } from "./java.ts";
import { readMemoryMap } from "./memory-map.ts";

const WORDS = [
  { sizeBytes: 4, littleEndian: true },
  { sizeBytes: 4, littleEndian: false },
  { sizeBytes: 8, littleEndian: true },
  { sizeBytes: 8, littleEndian: false },
] as const;

const HEADER_WORDS = 5;
const FORMAT_VERSION = 3n;
const JAVA = 1n;

/** Reads words one after the other; behind the end there are only zeros, as google/pprof reads a torn file. */
class WordReader {
  readonly #view: DataView;
  readonly #word: (typeof WORDS)[number];
  at = 0;
  /** True once a word was asked for that is not all there. */
  isPastEnd = false;

  constructor(bytes: Uint8Array, word: (typeof WORDS)[number]) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#word = word;
  }

  get left(): number {
    return this.#view.byteLength - this.at;
  }

  next(): bigint {
    const { sizeBytes, littleEndian } = this.#word;
    if (this.left < sizeBytes) {
      this.isPastEnd = true;
      this.at = this.#view.byteLength;
      return 0n;
    }
    const { at } = this;
    this.at += sizeBytes;
    return sizeBytes === 4 ? BigInt(this.#view.getUint32(at, littleEndian)) : this.#view.getBigUint64(at, littleEndian);
  }
}

/** Undefined when it is none; a text says what is wrong with what begins as one. */
export function parseCpu(bytes: Uint8Array, limits: Limits): Draft | string | undefined {
  for (const word of WORDS) {
    const reader = new WordReader(bytes, word);
    const [zero, version, kind, periodUs, padding] = Array.from({ length: HEADER_WORDS }, () => reader.next());
    const isHeader = !reader.isPastEnd && zero === 0n && version === FORMAT_VERSION && periodUs! > 0n && padding === 0n;
    if (!isHeader || (kind !== 0n && kind !== JAVA)) continue;
    const draft = new Draft(
      [
        { type: "samples", unit: "count" },
        { type: "cpu", unit: "nanoseconds" },
      ],
      { type: "cpu", unit: "nanoseconds" },
      wrapInt64(periodUs! * 1000n),
      limits,
    );
    const fault = readSamples(reader, draft, kind === JAVA);
    if (fault !== undefined) return fault;
    const trailer = byteText(bytes.subarray(reader.at));
    if (kind === JAVA) nameJavaFrames(trailer, draft);
    else finishNative(trailer, draft);
    return draft;
  }
  return undefined;
}

/** Count, depth, then so many addresses, leaf first; a count of 0 with the one address 0 ends the list. */
function readSamples(reader: WordReader, draft: Draft, isJava: boolean): string | undefined {
  while (reader.left > 0) {
    const start = reader.at;
    const count = reader.next();
    const depth = reader.next();
    if (reader.isPastEnd || depth > BigInt(Math.floor(reader.left / 4))) {
      return `its gperftools CPU samples end in the middle of the one at byte ${start}`;
    }
    checkFrames(Number(depth), draft.limits);
    const addresses = Array.from({ length: Number(depth) }, () => reader.next());
    if (count === 0n && depth === 1n && addresses[0] === 0n) return undefined;
    const [leaf, ...callers] = addresses;
    const stack = isJava || leaf === undefined ? addresses : [leaf, ...intoCalls(callers)];
    const samples = wrapInt64(count);
    draft.add([samples, wrapInt64(samples * draft.period)], stack);
  }
  return undefined;
}

function finishNative(trailer: string, draft: Draft): void {
  dropSignalFrames(draft);
  readMemoryMap(new LineScanner(trailer, 0, draft.limits), draft);
  dropRepeatedLeaves(draft);
}

/** A frame next to the leaf of nearly all samples was put there by the signal handler; there may be two. */
function dropSignalFrames({ samples }: Draft): void {
  const enough = samples.length - Math.floor(samples.length / 32);
  for (let round = 0; round < 2; round++) {
    const counts = new Map<bigint, number>();
    for (const { stack } of samples) {
      if (stack.length > 1) counts.set(stack[1]!.address, (counts.get(stack[1]!.address) ?? 0) + 1);
    }
    const common = [...counts].find(([, count]) => count >= enough)?.[0];
    if (common === undefined) return;
    for (const { stack } of samples) if (stack[1]?.address === common) stack.splice(1, 1);
  }
}
