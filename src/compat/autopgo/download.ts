// GET /api/profile/{app}: the app's PGO profile, by the policy that the query names, else by its policy autopgo, else by its default one.

import { holdAnswer } from "../../http/hold-answer.ts";
import { sendPgoFile } from "../../http/pgo-file.ts";
import { parseParameters, readText } from "../../http/query-parameters.ts";
import { selectorOf } from "../../model/selector.ts";
import { policyOf } from "./app.ts";
import type { AppRequest, AutopgoContext } from "./context.ts";

/** As Go's server finds it out from the bytes. */
const FILE_TYPE = { "content-type": "application/x-gzip" };

/** The window ends now: who has just uploaded a profile downloads it next. */
export async function downloadProfile(
  { exchange, app, grant }: AppRequest,
  { repository, answers }: AutopgoContext,
): Promise<void> {
  const asked = readText(parseParameters(exchange.query), "policy") || undefined;
  const made = await repository.pgo.profile({
    service: app,
    policy: asked ?? (await policyOf(repository, app))?.name,
    narrow: selectorOf(undefined, undefined, grant.labels),
    untilNow: true,
    reserve: (answerBytes) => holdAnswer(exchange.response, answerBytes, answers, exchange.signal),
    signal: exchange.signal,
  });
  sendPgoFile(exchange, made, FILE_TYPE);
}
