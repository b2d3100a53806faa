// How much a request's message may become, judged on its bytes before it is decoded: a field of two bytes becomes an object of a
// hundred, on the event loop. What the fields mean is the services' to judge.

import { type DescMessage, type DescMethod, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import type { Limits } from "../model/limits.ts";

/** What a field, a value of JSON or an element counts at least. */
const FIELD_BYTES = 32;

/** Methods whose requests carry profiles. */
const UPLOADS = new Set<DescMethod>([
  ProfileService.method.createProfile,
  ProfileService.method.batchCreateProfiles,
  ProfileService.method.uploadProfile,
]);

export interface MessageJudge {
  /** Larger messages are not read. */
  maxBytes: number;
  /** What they are refused with: resource_exhausted. */
  tooLarge(): ConnectError;
  /** Throws resource_exhausted. What cannot be read passes: the decoder says so, and has not more work with it than is allowed. */
  judge(message: Uint8Array): void;
}

/** The judge of a method's requests. */
export function messageJudge(method: DescMethod, isJson: boolean, limits: Limits): MessageJudge {
  const isBatch = method === ProfileService.method.batchCreateProfiles;
  const allowedBytes = isBatch ? limits.batchMetadataBytes : limits.requestBytes;
  const uploadBytes = isJson ? limits.jsonBodyBytes : limits.bodyBytes + limits.requestBytes;
  const maxBytes = UPLOADS.has(method) ? uploadBytes : limits.requestBytes;
  const form = isJson ? "JSON" : "protobuf";
  return {
    maxBytes,
    tooLarge: () =>
      new ConnectError(
        `Cannot read this message: ${method.name} takes at most ${maxBytes} bytes of ${form}`,
        Code.ResourceExhausted,
      ),
    judge(message) {
      const isFit = isJson
        ? fitsAsJson(message, allowedBytes)
        : new BinaryJudge(message, allowedBytes).fits(method.input);
      if (isFit) return;
      throw new ConnectError(
        `Cannot read a request of so many parts: beside the bytes of profiles it may have ${allowedBytes} bytes, each field counting as ${FIELD_BYTES} at least`,
        Code.ResourceExhausted,
      );
    },
  };
}

/** Counts what becomes a value. Strings are passed over: the message's size bounds them. */
function fitsAsJson(text: Uint8Array, allowedBytes: number): boolean {
  let left = Math.floor(allowedBytes / FIELD_BYTES);
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case 0x5c: // a backslash escapes the next character
        at++;
        break;
      case 0x22:
        isInString = !isInString;
        break;
      case 0x2c: // , [ {
      case 0x5b:
      case 0x7b:
        if (!isInString && --left < 0) return false;
    }
  }
  return true;
}

class BinaryJudge {
  readonly #reader: BinaryReader;
  #leftBytes: number;

  constructor(message: Uint8Array, allowedBytes: number) {
    this.#reader = new BinaryReader(message);
    this.#leftBytes = allowedBytes;
  }

  fits(message: DescMessage): boolean {
    try {
      this.#message(message, this.#reader.len);
    } catch {
      // Unreadable: the decoder, which reads by the same reader, stops at the same place.
    }
    return this.#leftBytes >= 0;
  }

  /**
   * By what the message declares, as the decoder does: it does not look at the wire type of a field that it knows. Requests have
   * texts, bytes, varints and messages, no other kinds of fields; a test holds them to it.
   */
  #message(message: DescMessage, end: number): void {
    const reader = this.#reader;
    while (reader.pos < end && this.#leftBytes >= 0) {
      const [number, wireType] = reader.tag();
      const field = message.fields.find((each) => each.number === number);
      const start = reader.pos;
      if (field === undefined) {
        reader.skip(wireType, number);
        this.#count(reader.pos - start);
      } else if (field.message !== undefined) {
        this.#count(0);
        const length = reader.uint32();
        this.#message(field.message, reader.pos + length);
      } else {
        const hasLength = field.scalar === ScalarType.BYTES || field.scalar === ScalarType.STRING;
        reader.skip(hasLength ? WireType.LengthDelimited : WireType.Varint, number);
        this.#count(field.scalar === ScalarType.BYTES ? 0 : reader.pos - start);
      }
    }
  }

  #count(sizeBytes: number): void {
    this.#leftBytes -= Math.max(FIELD_BYTES, sizeBytes);
  }
}
