// Outcomes as they come → stdout and stderr: ids in the order of the sources, the progress bar where stderr is a terminal, the end, the
// exit code. Its texts are report.ts and json-report.ts.

import { DomainError } from "../../model/errors.ts";
import { EXIT, exitCodeOf } from "../exit-code.ts";
import { answer, answerJson, complain, note, type OutputOptions, warn } from "../output.ts";
import { systemFault } from "../system-fault.ts";
import { jsonReport } from "./json-report.ts";
import type { Outcome } from "./outcome.ts";
import { ProgressBar } from "./progress-bar.ts";
import { complaintsOf, lineOf, notesOf, type Settled, summaryOf, warningsOf } from "./report.ts";
import type { Source } from "./sources.ts";

export class Printer {
  readonly #sources: readonly Source[];
  readonly #options: OutputOptions & { dryRun?: true };
  readonly #bar: ProgressBar | undefined;
  readonly #outcomes: (Outcome | undefined)[];
  #settled = 0;
  #refused = 0;
  /** Sources before this one are printed. */
  #next = 0;

  constructor(sources: readonly Source[], options: OutputOptions & { dryRun?: true }) {
    this.#sources = sources;
    this.#options = options;
    this.#outcomes = new Array(sources.length);
    this.#bar = process.stderr.isTTY && !options.quiet ? new ProgressBar(process.stderr) : undefined;
    this.#drawBar();
    // Other verbs end with their reader, as in `| head -1`. Here the ids are beside the point: what is to be sent is sent.
    process.stdout.removeAllListeners("error").on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw new DomainError("unavailable", `Cannot write the ids: ${systemFault(error)}`);
    });
  }

  settle(at: number, outcome: Outcome): void {
    this.#outcomes[at] = outcome;
    this.#settled++;
    if (outcome.state === "refused") this.#refused++;
    if (!this.#options.json) this.#printLines();
    this.#drawBar();
  }

  /** When all are settled. `stop` is what ended the push before, `journalFault` why it cannot be resumed. */
  end(server: string, stop: DomainError | undefined, journalFault: string | undefined): void {
    this.#bar?.clear();
    const all = this.#sources.map((source, at): Settled => ({ source, outcome: this.#outcomes[at]! }));
    if (this.#options.json) answerJson(jsonReport(all, server, stop));
    for (const line of notesOf(all)) note(line, this.#options);
    for (const line of warningsOf(all)) warn(line, this.#options);
    for (const line of complaintsOf(all, stop, journalFault)) complain(line);
    const isComplete = stop === undefined && this.#refused === 0;
    if (this.#bar || !isComplete) note(summaryOf(all, this.#options.dryRun === true), this.#options);
    if (!isComplete) process.exitCode = exitCode(all, stop);
  }

  #drawBar(): void {
    this.#bar?.draw({ done: this.#settled, total: this.#sources.length, refused: this.#refused });
  }

  #printLines(): void {
    for (let outcome = this.#outcomes[this.#next]; outcome !== undefined; outcome = this.#outcomes[++this.#next]) {
      const line = lineOf({ source: this.#sources[this.#next]!, outcome });
      if (line === undefined) continue;
      if (process.stdout.isTTY) this.#bar?.clear();
      answer(line);
    }
  }
}

/** Where all were refused, the first one's. */
function exitCode(all: readonly Settled[], stop: DomainError | undefined): number {
  if (stop !== undefined) return exitCodeOf(stop);
  const refused = all.flatMap(({ outcome }) => (outcome.state === "refused" ? [outcome.failure] : []));
  return refused.length < all.length ? EXIT.partial : exitCodeOf(refused[0]);
}
