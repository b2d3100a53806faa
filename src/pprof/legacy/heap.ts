// Heap profiles as text: Go's debug=1 (heap, allocs), gperftools' heap, growth and fragmentation.

import type { Limits } from "../../model/limits.ts";
import { invalidProfile } from "../invalid-profile.ts";
import {
  isSpaceOrComment,
  LineScanner,
  parseAddresses,
  parseDecimal,
  trim,
  truncateToInt64,
  wrapInt64,
} from "./byte-text.ts";
import { Draft, intoCalls, sizeLabel } from "./draft.ts";
import { isMemoryMapStart, readTrailer } from "./memory-map.ts";

const HEAP_HEADER = /heap profile: *(\d+): *(\d+) *\[ *(\d+): *(\d+) *\] *@ *(heap[_a-z0-9]*)\/?(\d*)/;
const OTHER_HEADER = /heap profile: *\d+: *\d+ *\[ *\d+: *\d+ *\] @ (?:growth|fragmentation)/;
// `(?<!\d)`: only from the start of a run of digits, so that a line of nothing else takes linear time.
const SAMPLE = /(-?(?<!\d)\d+): *(-?\d+) *\[ *(\d+): *(\d+) *\] @([ x0-9a-f]*)/;

interface Sampling {
  /** Mean bytes between samples; 1 and less: every allocation was recorded. */
  period: bigint;
  /** The numbers are of what was sampled, and are to be scaled up. */
  isScaled: boolean;
  hasAllocations: boolean;
}

export function parseHeap(text: string, limits: Limits): Draft | undefined {
  const lines = new LineScanner(text, 0, limits);
  if (!lines.next()) return undefined;
  const sampling = readHeader(lines.text);
  if (!sampling) return undefined;
  const draft = new Draft(columns(sampling), { type: "space", unit: "bytes" }, sampling.period, limits);
  while (lines.next()) {
    const line = trim(lines.text);
    if (isSpaceOrComment(line)) continue;
    if (isMemoryMapStart(line)) break;
    addSample(draft, line, sampling);
  }
  readTrailer(lines, draft);
  return draft;
}

function readHeader(line: string): Sampling | undefined {
  const header = HEAP_HEADER.exec(line);
  if (!header) return OTHER_HEADER.test(line) ? { period: 1n, isScaled: false, hasAllocations: false } : undefined;
  const [, inUse, inUseSize, allocated, allocatedSize, kind, periodText] = header;
  const period = periodText === "" ? 0n : parseDecimal(periodText!);
  if (period === undefined) return undefined;
  const hasAllocations =
    (allocated !== inUse && allocated !== "0") || (allocatedSize !== inUseSize && allocatedSize !== "0");
  if (kind === "heapz_v2" || kind === "heap_v2") return { period, isScaled: true, hasAllocations };
  if (kind === "heapprofile") return { period: 1n, isScaled: false, hasAllocations };
  // Go writes twice its rate.
  if (kind === "heap") return { period: period / 2n, isScaled: true, hasAllocations };
  return undefined;
}

function columns({ hasAllocations }: Sampling) {
  if (!hasAllocations) {
    return [
      { type: "objects", unit: "count" },
      { type: "space", unit: "bytes" },
    ];
  }
  return [
    { type: "alloc_objects", unit: "count" },
    { type: "alloc_space", unit: "bytes" },
    { type: "inuse_objects", unit: "count" },
    { type: "inuse_space", unit: "bytes" },
  ];
}

function addSample(draft: Draft, line: string, sampling: Sampling): void {
  const match = SAMPLE.exec(line);
  if (!match)
    invalidProfile(`heap sample ${draft.samples.length + 1} is not "objects: bytes [objects: bytes] @ addresses"`);
  const [, inUse, inUseSize, allocated, allocatedSize, stack] = match;
  const pairs: [string, string][] = [[inUse!, inUseSize!]];
  if (sampling.hasAllocations) pairs.unshift([allocated!, allocatedSize!]);
  const values: bigint[] = [];
  let blockSize = 0n;
  for (const [countText, sizeText] of pairs) {
    const count = parseDecimal(countText);
    const size = parseDecimal(sizeText);
    if (count === undefined || size === undefined) failSample(draft, "has a number of more than 64 bits");
    if (count === 0n && size !== 0n) failSample(draft, `has ${size} bytes in 0 objects`);
    if (count !== 0n) blockSize = wrapInt64(size / count);
    values.push(...(sampling.isScaled ? scale(count, size, sampling.period) : [count, size]));
  }
  const addresses = parseAddresses(stack!);
  if (!addresses) failSample(draft, "has an address of more than 64 bits");
  draft.add(values, intoCalls(addresses), sizeLabel(blockSize));
}

function failSample(draft: Draft, fault: string): never {
  invalidProfile(`heap sample ${draft.samples.length + 1} ${fault}`);
}

/** What was allocated, by the chance 1 − exp(−size/period) with which an allocation of a size is sampled. */
export function scale(count: bigint, size: bigint, period: bigint): [count: bigint, size: bigint] {
  if (count === 0n || size === 0n) return [0n, 0n];
  if (period <= 1n) return [count, size];
  const meanSize = Number(size) / Number(count);
  const factor = 1 / (1 - Math.exp(-meanSize / Number(period)));
  return [truncateToInt64(Number(count) * factor), truncateToInt64(Number(size) * factor)];
}
