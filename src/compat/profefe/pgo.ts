// GET /api/0/pgo/<service>: the file that `go build -pgo` takes, and its report. profefe has nothing of the kind. What fails has an empty
// body, so that no script that forgets to look at the status makes an error page a profile; the reason is in a header.

import { boundSelector, boundService } from "../../http/bound.ts";
import { isNotModified, sendNotModified } from "../../http/download.ts";
import type { Refusal } from "../../http/errors.ts";
import { unescapePath, utf8Text } from "../../http/escapes.ts";
import type { Exchange } from "../../http/exchange.ts";
import { reasonHeader } from "../../http/header-text.ts";
import { holdAnswer } from "../../http/hold-answer.ts";
import { httpDate, PGO_FILE_HEADERS, pgoHeaders, sendPgoFile, versionsHeader } from "../../http/pgo-file.ts";
import { badRequest, type Parameters, parseParameters, readText } from "../../http/query-parameters.ts";
import { sendBytes, sendText } from "../../http/send.ts";
import { DomainError } from "../../model/errors.ts";
import { isAtLeast } from "../../model/pgo-policy.ts";
import { quote } from "../../model/text.ts";
import { formatTime } from "../../model/time.ts";
import type { PgoMade } from "../../repository/pgo/make.ts";
import type { Release } from "../../repository/pgo/releases.ts";
import type { ProfefeContext } from "./context.ts";
import { json, refuseAsEnvelope } from "./envelope.ts";
import { readNarrowing, readWord } from "./parameters.ts";

export const PGO_PATH = "/api/0/pgo/";
const REPORT = "/report";
/** Parameters that a release does not heed. */
const OF_PROFILES = ["policy", "mode", "labels", "query", "from", "to", "last", "end"];

export async function getPgo(exchange: Exchange, context: ProfefeContext): Promise<void> {
  const parameters = parseParameters(exchange.query);
  const path = exchange.path.slice(PGO_PATH.length);
  const isReport = path.endsWith(REPORT);
  const service = serviceOf(isReport ? path.slice(0, -REPORT.length) : path);
  const missing = readWord(parameters, "missing", ["empty"]);
  // A mistake in its name is no want of a profile.
  if (missing) await context.repository.pgo.policies.get(service, readText(parameters, "policy") || "default");
  try {
    if (isReport) await sendReport(exchange, context, service, parameters);
    else await sendFile(exchange, context, service, parameters);
  } catch (error) {
    if (missing === undefined || isReport || !(error instanceof DomainError) || error.kind !== "not-found") throw error;
    sendBytes(exchange, 200, new Uint8Array(0), { ...PGO_FILE_HEADERS, ...reasonHeader(error.message) });
  }
}

/** Mistakes in the question are told as everywhere; whatever else fails is no profile, and nothing. */
export function refusePgo(exchange: Exchange, refusal: Refusal): void {
  if (refusal.status === 400 || refusal.status === 405) refuseAsEnvelope(exchange, refusal);
  else sendBytes(exchange, refusal.status, new Uint8Array(0), { ...refusal.headers, ...reasonHeader(refusal.message) });
}

async function sendFile(
  exchange: Exchange,
  context: ProfefeContext,
  service: string,
  parameters: Parameters,
): Promise<void> {
  const required = readWord(parameters, "require", ["usable", "good"]);
  const release = await releaseOf(context, service, parameters);
  if (release) {
    if (required && !isAtLeast(release.verdict, required)) await sendWorse(exchange, context, release);
    else await sendRelease(exchange, context, release);
    return;
  }
  const answer = await ask(exchange, context, service, parameters);
  const { verdict } = answer.report;
  if (required && !isAtLeast(verdict, required)) {
    sendText(exchange, 412, `${json(reportObject(answer))}\n`, {
      "content-type": "application/json",
      ...pgoHeaders(answer),
    });
    return;
  }
  sendPgoFile(exchange, answer);
}

async function sendReport(
  exchange: Exchange,
  context: ProfefeContext,
  service: string,
  parameters: Parameters,
): Promise<void> {
  const format = readWord(parameters, "format", ["text", "json"]) ?? "json";
  const answer = await ask(exchange, context, service, parameters);
  if (format === "text") sendText(exchange, 200, answer.reportText, pgoHeaders(answer));
  else
    sendText(exchange, 200, `${json(reportObject(answer))}\n`, {
      "content-type": "application/json",
      ...pgoHeaders(answer),
    });
}

function ask(
  exchange: Exchange,
  { repository, answers, limits, nowNs, grant }: ProfefeContext,
  asked: string,
  parameters: Parameters,
): Promise<PgoMade> {
  const service = boundService(grant, asked);
  const { narrow, interval } = readNarrowing(parameters, limits, nowNs());
  const untilNow = readWord(parameters, "end", ["now"]) !== undefined;
  if (untilNow && interval) throw badRequest('"end" is of the policy\'s window: send it, or "from" and "to"');
  return repository.pgo.profile({
    service,
    policy: readText(parameters, "policy") || undefined,
    mode: readText(parameters, "mode") || undefined,
    narrow: boundSelector(grant, narrow),
    interval,
    untilNow,
    reserve: (answerBytes) => holdAnswer(exchange.response, answerBytes, answers, exchange.signal),
    signal: exchange.signal,
  });
}

/** `?release=`, or `<service>@<name>` where there is such a release; else the text is a service's name. */
async function releaseOf(
  { repository, grant }: ProfefeContext,
  service: string,
  parameters: Parameters,
): Promise<Release | undefined> {
  const named = readText(parameters, "release");
  if (named !== undefined && named !== "") {
    const unheeded = OF_PROFILES.find((name) => parameters.has(name));
    if (unheeded) throw badRequest(`${quote(unheeded)} is of profiles that are made now: a release is what it is`);
    return repository.releases.get(boundService(grant, service), named);
  }
  const at = service.lastIndexOf("@");
  if (at <= 0 || (grant.service !== undefined && grant.service !== service.slice(0, at))) return undefined;
  try {
    return await repository.releases.get(service.slice(0, at), service.slice(at + 1));
  } catch (error) {
    if (error instanceof DomainError && (error.kind === "not-found" || error.kind === "invalid")) return undefined;
    throw error;
  }
}

async function sendWorse(exchange: Exchange, { repository }: ProfefeContext, release: Release): Promise<void> {
  const { name, verdict } = release;
  const headers = { "content-type": "application/json", "profusion-release": name, "profusion-verdict": verdict };
  const { report } = await repository.releases.provenance(release);
  sendText(exchange, 412, `${json({ release: name, ...report, verdict })}\n`, headers);
}

async function sendRelease(
  exchange: Exchange,
  { repository, answers }: ProfefeContext,
  release: Release,
): Promise<void> {
  const { name, createdNs, verdict, sizeBytes } = release;
  const digest = Buffer.from(release.digest).toString("hex");
  const headers = {
    ...PGO_FILE_HEADERS,
    etag: `"${digest}"`,
    "last-modified": httpDate(createdNs),
    "cache-control": "private, no-cache",
    "profusion-release": name,
    "profusion-verdict": verdict,
  };
  if (isNotModified(exchange, digest)) {
    sendNotModified(exchange, headers);
    return;
  }
  const { interval, inputs, report } = await repository.releases.provenance(release);
  await holdAnswer(exchange.response, sizeBytes, answers, exchange.signal);
  sendBytes(exchange, 200, await repository.releases.profile(release), {
    ...headers,
    ...(interval && { "profusion-window": `${interval.startTime}/${interval.endTime}` }),
    "profusion-merged": String(inputs),
    ...versionsHeader(report.facts?.inputs?.versions),
  });
}

/** As the contract's JSON writes it: int64 as text. */
function reportObject({ report, summary }: PgoMade): unknown {
  const { interval, matched, merged, skipped, warnings } = summary;
  const window = interval && { from: formatTime(interval.startNs), to: formatTime(interval.endNs) };
  return { window, matched, merged, skipped, warnings, ...report };
}

/** Any character may be escaped, and a slash need not be. */
function serviceOf(path: string): string {
  const service = utf8Text(unescapePath(path));
  if (service === undefined || service === "") throw badRequest(`missing a service: ask ${PGO_PATH}<service>`);
  return service;
}
