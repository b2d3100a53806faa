// Which uploads a relay takes, of which systems, and what each sender takes for success or failure. It looks into no profile.

import { isAppName } from "../../compat/autopgo/app.ts";
import type { Refusal } from "../../http/errors.ts";
import { unescapePath, utf8Text } from "../../http/escapes.ts";
import type { Exchange } from "../../http/exchange.ts";
import { parseParameters, readText } from "../../http/query-parameters.ts";
import { refuseAsText } from "../../http/router.ts";
import { sendBytes, sendText, startAnswer } from "../../http/send.ts";
import { DomainError } from "../../model/errors.ts";
import { formatTime } from "../../model/time.ts";

export interface RelayedUpload {
  /** As in Route. */
  path: string;
  /** Says what the sender waits for, before any server has seen the profile. */
  accept(exchange: Exchange, receivedNs: bigint): void;
  refuse(exchange: Exchange, refusal: Refusal): void;
  /** Throws `invalid` for a path that no server takes: it would wait for ever. */
  check?(path: string): void;
  /** Whether its query may name `service`, which its path does not. */
  queryNamesService: boolean;
}

const JSON_TYPE = { "content-type": "application/json" };
const NOTHING = new Uint8Array(0);
const AUTOPGO = "/api/profile/";

const profefe: Omit<RelayedUpload, "path"> = { accept: acceptProfefe, refuse: refuseProfefe, queryNamesService: true };

export const RELAYED_UPLOADS: readonly RelayedUpload[] = [
  { path: "/api/0/profiles", ...profefe },
  { path: "/api/0/profiles/", ...profefe },
  { path: `${AUTOPGO}*`, check: checkApp, accept: acceptAutopgo, refuse: refuseAutopgo, queryNamesService: false },
  { path: "/v1/submit", accept: acceptPgoFleet, refuse: refuseEmpty, queryNamesService: true },
  {
    path: "/profile/*",
    check: checkTag,
    accept: (exchange) => sendBytes(exchange, 200, NOTHING, {}),
    refuse: refuseAsText,
    queryNamesService: false,
  },
];

/** kube-profefe reads the object. The id is nobody's yet. */
function acceptProfefe(exchange: Exchange, receivedNs: bigint): void {
  const parameters = parseParameters(exchange.query);
  const text = (name: string) => readText(parameters, name) ?? "";
  const created = { id: "", type: text("type"), service: text("service"), created_at: formatTime(receivedNs) };
  sendText(exchange, 200, `${JSON.stringify({ code: 200, body: created })}\n`, JSON_TYPE);
}

/** profefe's agent drops a profile on any 4xx, and sends it again on any 5xx. */
function refuseProfefe(exchange: Exchange, { status, message, headers, error }: Refusal): void {
  const code = error?.kind === "exhausted" ? 503 : status;
  sendText(exchange, code, `${JSON.stringify({ code, error: message })}\n`, { ...JSON_TYPE, ...headers });
}

function checkApp(path: string): void {
  if (!isAppName(appOf(path))) throw new DomainError("invalid", "invalid app name");
}

function checkTag(path: string): void {
  const tag = utf8Text(unescapePath(path.slice("/profile/".length)));
  if (!tag) throw new DomainError("invalid", "Cannot take a profile without a tag: POST /profile/<tag>");
}

function appOf(path: string): string {
  return utf8Text(unescapePath(path.slice(AUTOPGO.length))) ?? "";
}

function acceptAutopgo(exchange: Exchange, receivedNs: bigint): void {
  const app = appOf(exchange.path);
  sendText(exchange, 201, `${JSON.stringify({ key: `${app}/staging/${receivedNs}` })}\n`, JSON_TYPE);
}

function refuseAutopgo(exchange: Exchange, { status, message, headers }: Refusal): void {
  sendText(exchange, status, `${JSON.stringify({ message, code: status })}\n`, { ...JSON_TYPE, ...headers });
}

function acceptPgoFleet(exchange: Exchange): void {
  if (startAnswer(exchange, 204, {})) exchange.response.end();
}

function refuseEmpty(exchange: Exchange, { status, headers }: Refusal): void {
  sendBytes(exchange, status, NOTHING, headers ?? {});
}
