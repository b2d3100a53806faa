// A unary request of Connect that cannot be decoded: connect-es answers 500 "internal", yet it is the client's doing, so 400.

import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

/** For calls that no service has seen. gRPC's own rule is status 13 for this, and stays. */
export async function asClientFault(answer: UniversalServerResponse): Promise<UniversalServerResponse> {
  if (answer.status !== 500 || answer.body === undefined || answer.header?.has("content-encoding")) return answer;
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  const { message } = JSON.parse(Buffer.concat(chunks).toString()) as { message?: string };
  const text = message === "internal error" ? "the request cannot be decoded" : message;
  const body = Buffer.from(JSON.stringify({ code: "invalid_argument", message: text }));
  const header = new Headers(answer.header);
  header.set("content-length", String(body.length));
  return { ...answer, status: 400, header, body: once(body) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
