// Requests that no service has seen, refused in words of ours: connect-es answers some of them without any, and others as its own fault.

import type { UniversalHandler, UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { quote } from "../model/text.ts";

/** The form of Connect's errors, for whatever protocol: who gets one of these speaks none of them rightly. */
export function refusal(status: number, message: string, header = new Headers()): UniversalServerResponse {
  const body = Buffer.from(JSON.stringify({ code: "invalid_argument", message }));
  header.set("content-type", "application/json");
  header.set("content-length", String(body.length));
  return { status, header, body: once(body) };
}

/** The answer to a call that no service has seen. gRPC's own rule for what cannot be decoded is status 13, and stays. */
export async function asClientFault(
  answer: UniversalServerResponse,
  call: UniversalServerRequest,
  handler: UniversalHandler,
): Promise<UniversalServerResponse> {
  const { name, methodKind } = handler.method;
  const isUnary = methodKind === "unary";
  const allowed = isUnary ? handler.allowedMethods : ["POST"];
  if (answer.status === 405 || (answer.status === 415 && !allowed.includes(call.method))) {
    const allow = allowed.join(", ");
    return refusal(405, `Cannot ${call.method} ${name}: allowed is ${allow}`, new Headers({ allow }));
  }
  if (answer.status === 415) return refusal(415, unreadable(call, isUnary));
  if (answer.status === 500) return await undecodable(answer);
  return answer;
}

function unreadable({ method, url, header }: UniversalServerRequest, isUnary: boolean): string {
  const encoding = new URL(url).searchParams.get("encoding");
  if (method === "GET" && encoding !== "json" && encoding !== "proto")
    return `Cannot read a GET with encoding=${quote(encoding ?? "")} in its query: json and proto are allowed`;
  const type = header.get("content-type");
  const types = isUnary ? "application/json, application/proto" : "application/connect+json, application/connect+proto";
  const given = type === null ? "without a Content-Type" : `of Content-Type ${quote(type)}`;
  return `Cannot read a request ${given}: ${types}, application/grpc and application/grpc-web are allowed`;
}

/** A unary request of Connect that cannot be decoded is "internal" to connect-es, yet it is the client's doing. */
async function undecodable(answer: UniversalServerResponse): Promise<UniversalServerResponse> {
  if (answer.body === undefined || answer.header?.has("content-encoding")) return answer;
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  const { message = "" } = JSON.parse(Buffer.concat(chunks).toString()) as { message?: string };
  return refusal(
    400,
    message === "internal error" ? "the request cannot be decoded" : message,
    new Headers(answer.header),
  );
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
