// Where messages pass on their way to the decoder, and are judged: in bodies, out of gzip, in the query of a GET.

import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionGzip } from "@connectrpc/connect-node";
import { GrowingBytes } from "../http/growing-bytes.ts";
import type { MessageJudge } from "./message-judge.ts";

/** Of a frame: a byte of flags, and four of the message's length. */
const FRAME_HEAD_BYTES = 5;
const COMPRESSED_FLAG = 1;

/**
 * The same bytes, a message or several whole messages at a time. Throws resource_exhausted as soon as a message is over `maxBytes`. One
 * that is compressed is judged by `judgedGzip`.
 */
export async function* judgedMessages(
  pieces: AsyncIterable<Uint8Array>,
  header: Headers,
  judge: MessageJudge,
): AsyncGenerator<Uint8Array> {
  // Connect's unary calls have a body without frames.
  const isFramed = !/^application\/(proto|json)\b/i.test(header.get("content-type") ?? "");
  if (!isFramed) checkSize(Number(header.get("content-length") ?? 0), judge);
  const held = new GrowingBytes();
  for await (const piece of pieces) {
    held.push(piece);
    if (!isFramed) checkSize(held.length, judge);
    const readyBytes = isFramed ? judgeFrames(held.view, judge) : 0;
    if (readyBytes > 0) yield held.take(readyBytes);
  }
  if (!isFramed && header.get("content-encoding") !== compressionGzip.name) judge.judge(held.view);
  if (held.length > 0) yield held.take(held.length);
}

function checkSize(sizeBytes: number, judge: MessageJudge): void {
  if (sizeBytes > judge.maxBytes) throw judge.tooLarge();
}

/** How many bytes from the start are ready for the decoder: whole frames. */
function judgeFrames(bytes: Uint8Array, judge: MessageJudge): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + FRAME_HEAD_BYTES <= bytes.length) {
    const sizeBytes = view.getUint32(at + 1);
    checkSize(sizeBytes, judge);
    const end = at + FRAME_HEAD_BYTES + sizeBytes;
    if (end > bytes.length) break;
    if ((view.getUint8(at) & COMPRESSED_FLAG) === 0) judge.judge(bytes.subarray(at + FRAME_HEAD_BYTES, end));
    at = end;
  }
  return at;
}

export function judgedGzip(judge: MessageJudge): Compression {
  return {
    ...compressionGzip,
    async decompress(bytes, maxBytes) {
      const message = await compressionGzip.decompress(bytes, maxBytes).catch((error: unknown) => {
        throw ConnectError.from(error).code === Code.ResourceExhausted ? judge.tooLarge() : error;
      });
      judge.judge(message);
      return message;
    },
  };
}

/** Judges the message of a GET before it is read; other calls have theirs in the body. */
export function queryGate({ judge }: MessageJudge): (context: HandlerContext) => void {
  return ({ requestMethod, url }) => {
    if (requestMethod !== "GET") return;
    const query = new URL(url).searchParams;
    if (query.get("compression") === compressionGzip.name) return;
    judge(Buffer.from(query.get("message") ?? "", query.get("base64") === "1" ? "base64url" : "utf8"));
  };
}
