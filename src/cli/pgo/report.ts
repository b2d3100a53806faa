// `profusion pgo report`: how good a service's PGO profile is, as the server tells it.

import type { ClientOptions } from "../client-options.ts";
import { connect } from "../connection.ts";
import { answer, answerJson, type OutputOptions } from "../output.ts";
import { download } from "./download.ts";
import { pathOf, type QuestionOptions, questionOf } from "./question.ts";
import { verdictWord } from "./verdict-word.ts";

/** As long as a merge may take on the server. */
const TIMEOUT_MS = 60_000;

export async function report(options: ClientOptions & QuestionOptions & OutputOptions): Promise<void> {
  const connection = await connect(options);
  if (!options.json && !options.quiet) {
    const { bytes } = await download(connection, pathOf(options, "/report", { format: "text" }), TIMEOUT_MS);
    return answer(Buffer.from(bytes).toString("utf8").trimEnd());
  }
  const answered = await connection.pgo.getPgoReport({ question: questionOf(options) });
  if (options.json) answerJson(connection.json(answered));
  else answer(verdictWord(answered.report?.verdict));
}
