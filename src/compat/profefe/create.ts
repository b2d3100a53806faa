// POST /api/0/profiles: one profile into the repository.

import { readBody } from "../../http/body.ts";
import { boundLabels } from "../../http/bound.ts";
import type { Exchange } from "../../http/exchange.ts";
import { warningHeader } from "../../http/header-text.ts";
import { badRequest, parseParameters, readLabels } from "../../http/query-parameters.ts";
import { DomainError } from "../../model/errors.ts";
import { canonicalLabels, checkService } from "../../model/labels.ts";
import type { PushOutcome, PushRequest } from "../../repository/repository.ts";
import type { ProfefeContext } from "./context.ts";
import { profileObject, sendEnvelope } from "./envelope.ts";
import { readService, readTime, readType } from "./parameters.ts";

export async function createProfile(exchange: Exchange, context: ProfefeContext): Promise<void> {
  const { limits, budget } = context;
  const request = readMetadata(exchange, context);
  using body = await readBody(exchange, limits.bodyBytes, budget);
  const outcome = await push(context, { ...request, bytes: body.bytes });
  if (outcome.state === "empty") throw malformed("profile is empty: no samples");
  sendEnvelope(exchange, profileObject(outcome.record), warningHeader(outcome.warnings));
}

/** Judged before a byte of the body is read. */
function readMetadata(exchange: Exchange, { limits, nowNs, grant }: ProfefeContext): Omit<PushRequest, "bytes"> {
  const parameters = parseParameters(exchange.query);
  const service = readService(parameters, grant);
  const type = readType(parameters);
  if (type === undefined) throw badRequest("unknown profile type");
  const labels = boundLabels(grant, readLabels(parameters, limits));
  const created = readTime(parameters, "created_at", nowNs(), '"created_at"');
  try {
    checkService(service, limits);
    canonicalLabels(labels, limits);
  } catch (error) {
    if (error instanceof DomainError) throw badRequest(error.message, error);
    throw error;
  }
  return { service, type, labels, submitter: grant.submitter, ...(created && { clientTimeNs: created.timeNs }) };
}

async function push({ repository }: ProfefeContext, request: PushRequest): Promise<PushOutcome> {
  try {
    return await repository.push(request);
  } catch (error) {
    // The names were judged before, so what is invalid now is the profile.
    if (error instanceof DomainError && error.kind === "invalid") throw malformed(error.message, error);
    throw error;
  }
}

function malformed(reason: string, cause?: unknown): DomainError {
  return new DomainError("invalid", `malformed profile (could not parse pprof profile: ${reason})`, { cause });
}
