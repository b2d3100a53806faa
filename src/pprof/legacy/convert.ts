// Legacy profile formats → pprof protobuf: what google/pprof's parser reads besides the protobuf, and to the same meaning.
// Each format has a file; the order in which they are tried is google/pprof's. Text with stacks by name (debug=2) is none.

import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { encodeProfile } from "../encode.ts";
import { invalidProfile, oversizedProfile } from "../invalid-profile.ts";
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

/** Whether the whole is a row of protobuf fields; text is not, unless someone takes pains. */
function isProtobuf(bytes: Uint8Array): boolean {
  const reader = new WireReader();
  reader.open(bytes);
  try {
    while (reader.pos < reader.end) reader.pass(reader.next(), 0);
    return true;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
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
