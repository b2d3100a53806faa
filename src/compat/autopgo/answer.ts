// autopgo's answers: JSON, whose numbers are numbers, and the plain texts and redirects of Go's router.

import { posix } from "node:path";
import type { Refusal } from "../../http/errors.ts";
import type { Exchange } from "../../http/exchange.ts";
import { reasonHeader } from "../../http/header-text.ts";
import { refuseAsText } from "../../http/router.ts";
import { type AnswerHeaders, sendText } from "../../http/send.ts";
import { PROFILES_PATH } from "./context.ts";

export function sendJson(exchange: Exchange, status: number, body: unknown, headers: AnswerHeaders = {}): void {
  sendText(exchange, status, `${JSON.stringify(body)}\n`, { "content-type": "application/json", ...headers });
}

/** Its command line shows the message of whatever is JSON of this form, and of everything else that it is none. */
export function refuseAsJson(exchange: Exchange, { status, message, headers = {} }: Refusal): void {
  if (status === 405) refuseMethod(exchange, headers);
  else if (status === 404) sendJson(exchange, 404, { message: "Not Found", code: 404 }, reasonHeader(message));
  else sendJson(exchange, status, { message, code: status }, headers);
}

export function refuseMethod(exchange: Exchange, headers: AnswerHeaders): void {
  refuseAsText(exchange, { status: 405, message: "Method Not Allowed", headers });
}

export function sendNoSuchPage(exchange: Exchange): void {
  refuseAsText(exchange, { status: 404, message: "404 page not found" });
}

/** To the path without empty parts and dots, as Go's router does; false where the path is clean. */
export function redirectToClean(exchange: Exchange): boolean {
  const path = posix.normalize(exchange.path);
  if (path === exchange.path) return false;
  if (path !== PROFILES_PATH && !path.startsWith(`${PROFILES_PATH}/`)) {
    sendNoSuchPage(exchange);
    return true;
  }
  const location = exchange.query === "" ? path : `${path}?${exchange.query}`;
  sendText(exchange, 307, "", { location });
  return true;
}
