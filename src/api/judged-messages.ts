// Where messages pass on their way to the decoder, and are judged: in bodies, out of gzip, in the query of a GET.

import type { HandlerContext } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionGzip } from "@connectrpc/connect-node";
import { GrowingBytes } from "../http/growing-bytes.ts";
import type { MessageJudge } from "./message-judge.ts";

type Judge = MessageJudge["judge"];

/** Of a frame: a byte of flags, and four of the message's length. */
const FRAME_HEAD_BYTES = 5;
const COMPRESSED_FLAG = 1;

/**
 * The same bytes, a message or several whole messages at a time. A message over `maxBytes` is handed on unfinished: the decoder refuses
 * it for its size. One that is compressed is judged by `judgedGzip`.
 */
export async function* judgedMessages(
  pieces: AsyncIterable<Uint8Array>,
  header: Headers,
  judge: MessageJudge,
): AsyncGenerator<Uint8Array> {
  // Connect's unary calls have a body without frames.
  const isFramed = !/^application\/(proto|json)\b/i.test(header.get("content-type") ?? "");
  const held = new GrowingBytes();
  for await (const piece of pieces) {
    held.push(piece);
    const readyBytes = isFramed ? judgeFrames(held.view, judge) : held.length > judge.maxBytes ? held.length : 0;
    if (readyBytes > 0) yield held.take(readyBytes);
  }
  if (!isFramed && header.get("content-encoding") !== compressionGzip.name) judge.judge(held.view);
  if (held.length > 0) yield held.take(held.length);
}

/** How many bytes from the start are ready for the decoder: whole frames, and all where it will refuse the next one. */
function judgeFrames(bytes: Uint8Array, { maxBytes, judge }: MessageJudge): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + FRAME_HEAD_BYTES <= bytes.length) {
    const sizeBytes = view.getUint32(at + 1);
    if (sizeBytes > maxBytes) return bytes.length;
    const end = at + FRAME_HEAD_BYTES + sizeBytes;
    if (end > bytes.length) break;
    if ((view.getUint8(at) & COMPRESSED_FLAG) === 0) judge(bytes.subarray(at + FRAME_HEAD_BYTES, end));
    at = end;
  }
  return at;
}

export function judgedGzip(judge: Judge): Compression {
  return {
    ...compressionGzip,
    async decompress(bytes, maxBytes) {
      const message = await compressionGzip.decompress(bytes, maxBytes);
      judge(message);
      return message;
    },
  };
}

/** Judges the message of a GET before it is read; other calls have theirs in the body. */
export function queryGate(judge: Judge): (context: HandlerContext) => void {
  return ({ requestMethod, url }) => {
    if (requestMethod !== "GET") return;
    const query = new URL(url).searchParams;
    if (query.get("compression") === compressionGzip.name) return;
    judge(Buffer.from(query.get("message") ?? "", query.get("base64") === "1" ? "base64url" : "utf8"));
  };
}
