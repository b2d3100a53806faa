// The outermost fields of a profile that are no tables, each written as its tag says.

import { DomainError } from "../../model/errors.ts";
import { PROFILE, VALUE_TYPE, WIRE } from "../../pprof/schema.ts";
import { WRITES_ZERO } from "./message-layout.ts";
import { closeMessage, NUMBER_MAX_BYTES, putNumber, putNumber64 } from "./put-number.ts";
import type { WriteState } from "./write-state.ts";
import type { WrittenHeader } from "./written-profile.ts";

/**
 * Writes the field of a one-byte tag, also when it is zero; the `nth` of those that may be repeated. `valueType` is the layout of
 * its messages. Throws `unavailable` for a tag that is none of the header's.
 */
export function writeHeaderField(
  state: WriteState,
  header: WrittenHeader,
  tag: number,
  nth: number,
  valueType: Uint8Array,
): void {
  switch (tag) {
    case PROFILE.sampleType * 8 + WIRE.bytes:
      writeValueType(state, tag, header.sampleTypes, nth * 2, valueType);
      break;
    case PROFILE.periodType * 8 + WIRE.bytes:
      writeValueType(state, tag, header.periodType, 0, valueType);
      break;
    case PROFILE.dropFrames * 8:
      writeText(state, tag, header.dropFrames);
      break;
    case PROFILE.keepFrames * 8:
      writeText(state, tag, header.keepFrames);
      break;
    case PROFILE.timeNs * 8:
      writeInteger(state, tag, header.timeNs);
      break;
    case PROFILE.durationNs * 8:
      writeInteger(state, tag, header.durationNs);
      break;
    case PROFILE.period * 8:
      writeInteger(state, tag, header.period);
      break;
    case PROFILE.comment * 8:
      writeText(state, tag, header.comments[nth]!);
      break;
    case PROFILE.comment * 8 + WIRE.bytes:
      writeComments(state, tag, header.comments);
      break;
    case PROFILE.defaultSampleType * 8:
      writeText(state, tag, header.defaultSampleType);
      break;
    case PROFILE.docUrl * 8:
      writeText(state, tag, header.docUrl);
      break;
    default:
      throw new DomainError(
        "unavailable",
        `Cannot write a profile again: its form has the tag ${tag}, which the header of a profile does not have`,
      );
  }
}

function writeValueType(state: WriteState, tag: number, names: Int32Array, from: number, layout: Uint8Array): void {
  const bytes = state.reserve(16);
  const start = state.at + 2;
  let at = start;
  bytes[start - 2] = tag;
  for (const entry of layout) {
    const field = entry & ~WRITES_ZERO;
    const text = state.string(names[from + field - VALUE_TYPE.type] ?? 0);
    if (text === 0 && entry === field) continue;
    bytes[at] = field * 8;
    at = putNumber(bytes, at + 1, text);
  }
  state.at = closeMessage(bytes, start, at);
}

function writeText(state: WriteState, tag: number, text: number): void {
  const bytes = state.reserve(1 + NUMBER_MAX_BYTES);
  bytes[state.at] = tag;
  state.at = putNumber(bytes, state.at + 1, state.string(text));
}

function writeInteger(state: WriteState, tag: number, value: bigint): void {
  const bytes = state.reserve(1 + NUMBER_MAX_BYTES);
  bytes[state.at] = tag;
  const hi = Number(BigInt.asIntN(32, value >> 32n));
  state.at = putNumber64(bytes, state.at + 1, Number(BigInt.asIntN(32, value)), hi);
}

function writeComments(state: WriteState, tag: number, comments: Int32Array): void {
  const bytes = state.reserve(8 + comments.length * 5);
  const start = state.at + 2;
  let at = start;
  bytes[start - 2] = tag;
  for (const comment of comments) at = putNumber(bytes, at, state.string(comment));
  state.at = closeMessage(bytes, start, at);
}
