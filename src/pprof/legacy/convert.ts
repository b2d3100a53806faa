// Legacy profile formats → pprof protobuf: what google/pprof's parser reads besides the protobuf, and to the same meaning.
// Each format has a file; the order in which they are tried is google/pprof's. Text with stacks by name (debug=2) is none.

import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { encodeProfile } from "../encode.ts";
import { invalidProfile, oversizedProfile } from "../invalid-profile.ts";
import { PROFILE, WIRE } from "../schema.ts";
import { WireReader } from "../wire-reader.ts";
import { byteText } from "./byte-text.ts";
import { parseContention } from "./contention.ts";
import { parseCount } from "./count.ts";
import type { Draft } from "./draft.ts";
import { frameFilters } from "./frame-filters.ts";
import { parseCpu } from "./gperftools-cpu.ts";
import { parseHeap } from "./heap.ts";
import { parseJava } from "./java.ts";
import { parseThreads } from "./thread.ts";

/**
 * The uncompressed protobuf that inflated bytes in a legacy format mean: Go's debug=1 texts, gperftools' and Java's profiles.
 * Same bytes, same answer; undefined when they are in none of these formats. Throws `invalid` where a format is recognised but
 * broken, and `too-large` beyond `limits`. Bytes that are a protobuf, valid or not, are in none: google/pprof reads those first.
 */
export function convertLegacy(bytes: Uint8Array, limits: Limits): Uint8Array | undefined {
  if (bytes.length === 0 || isProtobuf(bytes)) return undefined;
  if (bytes.length > limits.legacyBytes) {
    oversizedProfile(
      `it is no pprof protobuf, and text profiles of more than ${limits.legacyBytes} bytes are not read`,
    );
  }
  const cpu = parseCpu(bytes, limits);
  const draft = typeof cpu === "object" ? cpu : parseText(byteText(bytes), limits);
  if (draft) return encode(draft);
  if (typeof cpu === "string") invalidProfile(cpu);
  return undefined;
}

/** Whether the whole is a row of a profile's fields, whatever is in them. Text is not, unless someone takes pains. */
function isProtobuf(bytes: Uint8Array): boolean {
  const reader = new WireReader();
  reader.open(bytes);
  try {
    while (reader.pos < reader.end) {
      const tag = reader.next();
      if (!fits(tag >>> 3, tag & 7)) return false;
      reader.pass(tag, 0);
    }
    return true;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
}

const MESSAGES = new Set<number>([
  PROFILE.sampleType,
  PROFILE.sample,
  PROFILE.mapping,
  PROFILE.location,
  PROFILE.function,
  PROFILE.stringTable,
  PROFILE.periodType,
]);
const FIELDS = new Set<number>(Object.values(PROFILE));

/** Fields that profiles do not know may be anything. */
function fits(field: number, wireType: number): boolean {
  if (!FIELDS.has(field)) return true;
  if (MESSAGES.has(field)) return wireType === WIRE.bytes;
  return wireType === WIRE.varint || (field === PROFILE.comment && wireType === WIRE.bytes);
}

function parseText(text: string, limits: Limits): Draft | undefined {
  for (const parse of [parseHeap, parseCount, parseThreads, parseContention, parseJava]) {
    const draft = parse(text, limits);
    if (draft) return draft;
  }
  return undefined;
}

function encode(draft: Draft): Uint8Array {
  if (draft.sampleTypes.length === 0 && draft.samples.length > 0) {
    invalidProfile("its samples have no type: a Java profile names its resolution");
  }
  const { dropFrames, keepFrames } = frameFilters(draft.sampleTypes);
  return encodeProfile(draft.finish(dropFrames, keepFrames), "latin1");
}
