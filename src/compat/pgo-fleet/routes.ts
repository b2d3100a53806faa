// pgo-fleet's collector: POST /v1/submit and /v1/merge, as its embedded library and its scripts use them. Its /healthz is src/http/health.ts.
// Statuses are its own and no failure has a body. Every upload is kept, and a merge is of all of them: docs/compatibility.md.

import type { Access } from "../../http/access.ts";
import { readBody } from "../../http/body.ts";
import type { ByteBudget } from "../../http/byte-budget.ts";
import type { Refusal } from "../../http/errors.ts";
import type { Exchange } from "../../http/exchange.ts";
import { reasonHeader } from "../../http/header-text.ts";
import { holdAnswer } from "../../http/hold-answer.ts";
import { sendPgoFile } from "../../http/pgo-file.ts";
import { parseParameters, readText } from "../../http/query-parameters.ts";
import type { Route } from "../../http/router.ts";
import { sendBytes, startAnswer } from "../../http/send.ts";
import { DomainError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { PLAIN_PGO_POLICY } from "../../model/pgo-policy.ts";
import { selectorOf } from "../../model/selector.ts";
import type { Repository } from "../../repository/repository.ts";
import { checkSubmittedShape } from "./cpu-shape.ts";
import { targetOf } from "./target.ts";

export interface PgoFleetOptions {
  limits: Limits;
  /** There the keys of one are not the other's. */
  submitAccess: Access;
  mergeAccess: Access;
  /** Shared with everything else that reads bodies. */
  budget: ByteBudget;
  /** Shared with everything else that answers profiles. */
  answers: ByteBudget;
}

const PROTOCOL = "pgo-fleet";
const MERGED_TYPE = { "content-type": "application/x-gzip" };

export function pgoFleetRoutes(repository: Repository, options: PgoFleetOptions): Route[] {
  const route = (path: string, handle: Route["handle"]): Route => ({ method: "POST", path, handle, refuse });
  return [
    route("/v1/submit", (exchange) => submit(exchange, repository, options)),
    route("/v1/merge", (exchange) => merge(exchange, repository, options)),
  ];
}

async function submit(exchange: Exchange, repository: Repository, options: PgoFleetOptions): Promise<void> {
  const { limits, budget, submitAccess } = options;
  const grant = submitAccess.admit(exchange, "write", PROTOCOL);
  const { service, labels } = targetOf(parseParameters(exchange.query), grant, limits);
  using body = await readBody(exchange, limits.bodyBytes, budget);
  const { submitter } = grant;
  await repository.push({ service, type: "cpu", labels, submitter, bytes: body.bytes, judge: checkSubmittedShape });
  // Also of one without samples, which adds nothing to any merge.
  if (startAnswer(exchange, 204, {})) exchange.response.end();
}

async function merge(exchange: Exchange, repository: Repository, options: PgoFleetOptions): Promise<void> {
  const { limits, answers, mergeAccess } = options;
  const grant = mergeAccess.admit(exchange, "pgo", PROTOCOL);
  const parameters = parseParameters(exchange.query);
  const { service, labels } = targetOf(parameters, grant, limits);
  const made = await repository.pgo.profile({
    service,
    policy: PLAIN_PGO_POLICY.name,
    narrow: selectorOf(undefined, undefined, labels),
    reserve: (answerBytes) => holdAnswer(exchange.response, answerBytes, answers, exchange.signal),
    signal: exchange.signal,
  });
  sendPgoFile(exchange, made, MERGED_TYPE);
  if (readText(parameters, "and_combine") === "true") combine(repository);
}

/**
 * What its collector does in place of its files, packs do: the sum stays what it was, each profile counts once whatever ends the process
 * when, and each can be had alone. So this only asks for packs of what is loose now, and nobody waits for them.
 */
function combine(repository: Repository): void {
  try {
    repository.startPack();
  } catch (error) {
    // Packing is switched off: the sum is the same.
    if (!(error instanceof DomainError) || error.kind !== "conflict") throw error;
  }
}

/** No client reads a body of these, and one kind of refusal is known: the key is wrong. Why is in a header. */
function refuse(exchange: Exchange, { status, message, headers }: Refusal): void {
  const told = status === 401 ? 403 : status;
  sendBytes(exchange, told, new Uint8Array(0), { ...headers, ...reasonHeader(message) });
}
