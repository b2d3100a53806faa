// gzip in and out, bounded. As strict as Go's reader, where Node's own gunzip forgives trailing bytes: every member whole,
// its checksum and size right, nothing behind the last. What is inside is not looked at.

import { crc32, gzipSync, type InflateRaw, inflateRawSync } from "node:zlib";
import { DomainError } from "../model/errors.ts";

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;
/** Go's reader refuses names and comments that do not fit its buffer of 512 bytes. */
const HEADER_TEXT_BYTES = 512;
/** DEFLATE cannot expand further than this, so no claim of a size can make us allocate more. */
const MAX_EXPANSION = 1032;
/** Each costs as much as a small file. Go's parallel writers make one per megabyte. */
const MEMBERS = 1000;
/** What zlib's own readers use; members behind the first are rare and of unknown size. */
const CHUNK_BYTES = 64 * 1024;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The content of a gzip file of one or more members; bytes that are not gzip come back as they are. Throws `too-large`
 * when there is more than `maxBytes`, before it is held in memory, and `invalid` when the file is damaged or gzipped twice.
 */
export function inflate(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (!isGzip(bytes)) {
    if (bytes.length > maxBytes) tooLarge(maxBytes);
    return bytes;
  }
  const members: Uint8Array[] = [];
  let size = 0;
  for (let start = 0; start < bytes.length; ) {
    if (members.length === MEMBERS) tooManyMembers();
    const member = inflateMember(bytes, start, maxBytes - size);
    if (!member) tooLarge(maxBytes);
    members.push(member.content);
    size += member.content.length;
    start = member.end;
  }
  const content = members.length === 1 ? members[0]! : Buffer.concat(members);
  if (isGzip(content)) invalidGzip("its content is gzip again: compress once");
  return content;
}

/**
 * Calls `use` with what inflate answers, and gives that memory back when it returns: garbage of this kind is collected late, after some
 * 60 MB of it in each thread. Nothing may keep the content, or a view of it.
 */
export function withInflated<Result>(
  bytes: Uint8Array,
  maxBytes: number,
  use: (content: Uint8Array) => Result,
): Result {
  const content = inflate(bytes, maxBytes);
  try {
    return use(content);
  } finally {
    // A small content may share a pool's memory with others; it is never more than half of that.
    const { buffer } = content;
    if (content !== bytes && buffer instanceof ArrayBuffer && content.length * 2 > buffer.byteLength)
      buffer.transfer(0);
  }
}

/** gzip at `level` 0–9. Default 4: on merged profiles half the time of zlib's own default, 6, for 3 % more bytes. */
export function deflate(bytes: Uint8Array, level = 4): Uint8Array {
  return gzipSync(bytes, { level });
}

interface Member {
  content: Uint8Array;
  /** Offset of what follows the member. */
  end: number;
}

/** Undefined when the member has more than `maxBytes`. */
function inflateMember(bytes: Uint8Array, start: number, maxBytes: number): Member | undefined {
  const body = skipHeader(bytes, start);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rest = bytes.length - body;
  // The last four bytes of the file are the size modulo 2^32 if this is the only member: one buffer, no copying.
  const claimed = start === 0 ? view.getUint32(bytes.length - 4, true) : CHUNK_BYTES;
  const chunkSize = Math.max(64, Math.min(claimed, maxBytes, rest * MAX_EXPANSION) + 1);
  let content: Buffer;
  let end: number;
  try {
    // @types/node does not know that `info` changes the answer.
    const options = { chunkSize, maxOutputLength: Math.max(1, maxBytes), info: true };
    const result = inflateRawSync(bytes.subarray(body), options) as unknown as { buffer: Buffer; engine: InflateRaw };
    content = result.buffer;
    end = body + result.engine.bytesWritten;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") return undefined;
    return invalidGzip((error as Error).message, error);
  }
  if (content.length > maxBytes) return undefined;
  if (end + TRAILER_BYTES > bytes.length) invalidGzip("it ends before its checksum");
  if (view.getUint32(end, true) !== crc32(content)) invalidGzip("its checksum does not fit its content");
  if (view.getUint32(end + 4, true) !== content.length % 2 ** 32) invalidGzip("its size does not fit its content");
  return { content, end: end + TRAILER_BYTES };
}

/** Checks the header of the member at `start` and answers where its compressed data begins. */
function skipHeader(bytes: Uint8Array, start: number): number {
  const isHeader = bytes[start] === 0x1f && bytes[start + 1] === 0x8b && bytes[start + 2] === 8;
  if (!isHeader) invalidGzip(`what follows at byte ${start} is no gzip member`);
  const flags = bytes[start + 3] ?? 0;
  let at = start + HEADER_BYTES;
  if (flags & FLAG.extra) at += 2 + (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256;
  if (flags & FLAG.name) at = skipText(bytes, at);
  if (flags & FLAG.comment) at = skipText(bytes, at);
  if (flags & FLAG.headerCrc) {
    const expected = crc32(bytes.subarray(start, at)) & 0xffff;
    if (bytes[at] !== (expected & 0xff) || bytes[at + 1] !== expected >> 8) invalidGzip("its header is damaged");
    at += 2;
  }
  if (at + TRAILER_BYTES > bytes.length) invalidGzip("it is cut short");
  return at;
}

function skipText(bytes: Uint8Array, start: number): number {
  const end = bytes.indexOf(0, start);
  if (end < 0 || end - start >= HEADER_TEXT_BYTES) invalidGzip("a text in its header has no end");
  return end + 1;
}

function invalidGzip(fault: string, cause?: unknown): never {
  throw new DomainError("invalid", `Cannot inflate the profile: ${fault}`, { cause });
}

function tooManyMembers(): never {
  throw new DomainError("too-large", `Cannot inflate the profile: it has more than ${MEMBERS} gzip members`, {
    subject: "body",
  });
}

function tooLarge(maxBytes: number): never {
  throw new DomainError("too-large", `Cannot inflate the profile: it has more than the ${maxBytes} bytes allowed`, {
    subject: "body",
  });
}
