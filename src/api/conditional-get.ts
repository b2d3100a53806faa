// Connect's GET answers as caches want them: an ETag, revalidation, and 304 where the client has the answer already.

import { hash } from "node:crypto";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

/** Never stored by shared caches, never used without asking: what an answer says may be deleted. */
const CACHE_CONTROL = "private, no-cache";

/** Errors and answers of other forms pass as they are. An ETag that the service set stands; otherwise it is the answer's digest. */
export async function revalidated(answer: UniversalServerResponse, request: Headers): Promise<UniversalServerResponse> {
  if (answer.status !== 200 || answer.body === undefined) return answer;
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  const header = new Headers(answer.header);
  const etag = header.get("etag") ?? `"${hash("sha256", Buffer.concat(chunks), "base64url").slice(0, 22)}"`;
  header.set("etag", etag);
  header.set("cache-control", CACHE_CONTROL);
  header.append("vary", "accept-encoding");
  if (!names(request.get("if-none-match"), etag)) return { ...answer, header, body: iterated(chunks) };
  for (const name of ["content-type", "content-length", "content-encoding"]) header.delete(name);
  return { ...answer, status: 304, header, body: iterated([]) };
}

/** If-None-Match compares weakly: a W/ before either means nothing. */
function names(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  const strong = (tag: string) => tag.trim().replace(/^W\//, "");
  return ifNoneMatch.trim() === "*" || ifNoneMatch.split(",").some((tag) => strong(tag) === strong(etag));
}

async function* iterated(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
