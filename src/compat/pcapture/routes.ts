// suessflorian/pgo: POST and GET /profile/<tag>, as its library pcapture and its Dockerfile use them. Every upload is kept, as a profile of
// the service that the tag names; what is asked for is their PGO profile, by the service's policy: docs/compatibility.md.

import type { Access, Grant } from "../../http/access.ts";
import { readBody } from "../../http/body.ts";
import { boundLabels, boundService } from "../../http/bound.ts";
import type { ByteBudget } from "../../http/byte-budget.ts";
import type { Refusal } from "../../http/errors.ts";
import { unescapePath, utf8Text } from "../../http/escapes.ts";
import type { Exchange } from "../../http/exchange.ts";
import { reasonHeader } from "../../http/header-text.ts";
import { holdAnswer } from "../../http/hold-answer.ts";
import { PGO_FILE_HEADERS, sendPgoFile } from "../../http/pgo-file.ts";
import { badRequest, parseParameters, readLabels, readText } from "../../http/query-parameters.ts";
import { type Route, refuseAsText } from "../../http/router.ts";
import { sendBytes } from "../../http/send.ts";
import { DomainError } from "../../model/errors.ts";
import { canonicalLabels, checkService, type Label } from "../../model/labels.ts";
import type { Limits } from "../../model/limits.ts";
import { selectorOf } from "../../model/selector.ts";
import { quote } from "../../model/text.ts";
import type { Repository } from "../../repository/repository.ts";
import { profilesIn } from "./upload.ts";

export interface PcaptureOptions {
  limits: Limits;
  access: Access;
  /** Shared with everything else that reads bodies. */
  budget: ByteBudget;
  /** Shared with everything else that answers profiles. */
  answers: ByteBudget;
}

const PROTOCOL = "pcapture";
const PATH = "/profile/";
const NOTHING = new Uint8Array(0);

export function pcaptureRoutes(repository: Repository, options: PcaptureOptions): Route[] {
  const route = (method: Route["method"], handle: Route["handle"]): Route => ({
    method,
    path: `${PATH}*`,
    name: `${PATH}__tag__`,
    handle,
    refuse,
  });
  return [
    route("GET", (exchange) => download(exchange, repository, options)),
    route("POST", (exchange) => upload(exchange, repository, options)),
  ];
}

async function upload(exchange: Exchange, repository: Repository, options: PcaptureOptions): Promise<void> {
  const { limits, access, budget } = options;
  const grant = access.admit(exchange, "write", PROTOCOL);
  const { service, labels } = targetOf(exchange, grant, limits);
  using body = await readBody(exchange, limits.bodyBytes, budget);
  const { submitter } = grant;
  for (const { bytes, judge } of profilesIn(exchange.request.headers["content-type"], body.bytes)) {
    await repository.push({ service, type: "cpu", labels, submitter, bytes, judge });
  }
  sendBytes(exchange, 200, NOTHING, {});
}

/** The window ends now: who has just sent a profile asks for it. */
async function download(exchange: Exchange, repository: Repository, options: PcaptureOptions): Promise<void> {
  const grant = options.access.admit(exchange, "pgo", PROTOCOL);
  const parameters = parseParameters(exchange.query);
  const missing = readText(parameters, "missing");
  if (missing !== undefined && missing !== "empty") throw badRequest(`"missing" is "empty", not ${quote(missing)}`);
  const { service, labels } = targetOf(exchange, grant, options.limits);
  try {
    const made = await repository.pgo.profile({
      service,
      policy: readText(parameters, "policy") || undefined,
      narrow: selectorOf(undefined, undefined, labels),
      untilNow: true,
      reserve: (answerBytes) => holdAnswer(exchange.response, answerBytes, options.answers, exchange.signal),
      signal: exchange.signal,
    });
    sendPgoFile(exchange, made);
  } catch (error) {
    if (missing === undefined || !(error instanceof DomainError) || error.kind !== "not-found") throw error;
    sendBytes(exchange, 200, NOTHING, { ...PGO_FILE_HEADERS, ...reasonHeader(error.message) });
  }
}

/** The tag as it is, slashes too, names the service. */
function targetOf(
  { path, query }: Exchange,
  grant: Grant,
  limits: Limits,
): { service: string; labels: readonly Label[] } {
  const tag = utf8Text(unescapePath(path.slice(PATH.length)));
  if (tag === undefined) throw badRequest(`the tag ${quote(path.slice(PATH.length))} is not valid UTF-8`);
  const sent = readLabels(parseParameters(query), limits);
  return {
    service: checkService(boundService(grant, tag), limits),
    labels: canonicalLabels(boundLabels(grant, sent), limits).labels,
  };
}

/** Scripts save what a GET answers whatever its status is, and `go build` fails on a text: only a POST is told in a body. */
function refuse(exchange: Exchange, refusal: Refusal): void {
  if (exchange.method !== "GET") refuseAsText(exchange, refusal);
  else sendBytes(exchange, refusal.status, NOTHING, { ...refusal.headers, ...reasonHeader(refusal.message) });
}
