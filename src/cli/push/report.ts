// The texts of a push: an id for each source that is stored, and at the end what was refused and why, and what is left. When and where
// they are printed is printer.ts; as JSON they are json-report.ts.

import type { DomainError } from "../../model/errors.ts";
import { formatSelector, selectorOf } from "../../model/selector.ts";
import { formatLocalTime } from "../local-time.ts";
import { harmless } from "../terminal.ts";
import type { Outcome } from "./outcome.ts";
import type { Source } from "./sources.ts";

/** Lines of one kind: whoever has more wants a file of them, or JSON. */
const LINES = 20;

export interface Settled {
  source: Source;
  outcome: Outcome;
}

/** What a settled source prints on stdout; undefined where nothing. */
export function lineOf({ source, outcome }: Settled): string | undefined {
  if (outcome.state === "stored" || outcome.state === "resumed") return outcome.id;
  if (outcome.state !== "planned") return undefined;
  const { service, type, labels, timeNs } = outcome;
  const selector = formatSelector(selectorOf(service, type, labels));
  const guess = type === undefined ? "its type by its columns, " : "";
  const time = timeNs === undefined ? "no time of its own" : formatLocalTime(timeNs);
  return `${harmless(source.name)}: ${harmless(selector)}, ${guess}${source.kind === "url" ? "when it is taken" : time}`;
}

/** What one may want to know where all went well. */
export function* notesOf(all: readonly Settled[]): Generator<string> {
  const stored = all.flatMap(({ outcome }) => (outcome.state === "stored" ? [outcome] : []));
  const repeated = stored.filter(({ alreadyExisted }) => alreadyExisted).length;
  if (repeated > 0) yield `${repeated} of ${all.length} were there already`;
  const resumed = all.filter(({ outcome }) => outcome.state === "resumed").length;
  if (resumed > 0) yield `${resumed} were acknowledged before and not sent again; --no-resume sends them`;
}

export function* warningsOf(all: readonly Settled[]): Generator<string> {
  const given = all.flatMap(({ source, outcome }) =>
    "warnings" in outcome ? outcome.warnings.map((warning) => ({ warning, name: source.name })) : [],
  );
  for (const [warning, [first, ...others]] of Map.groupBy(given, ({ warning }) => warning)) {
    yield `${first!.name}${others.length === 0 ? "" : ` and ${others.length} more`}: ${warning}`;
  }
  const untimed = all.filter(({ outcome }) => outcome.state === "stored" && outcome.hasReceiptTime).length;
  if (untimed > 0) {
    yield `${untimed} of ${all.length} have no time of their own and got that of their receipt; --created-at says another`;
  }
}

/** What went wrong: each source that is not stored, and what to do. */
export function* complaintsOf(
  all: readonly Settled[],
  stop: DomainError | undefined,
  journalFault: string | undefined,
): Generator<string> {
  const refused = all.flatMap(({ source, outcome }) =>
    outcome.state === "refused" ? [`${harmless(source.name)}: ${harmless(outcome.failure.message)}`] : [],
  );
  yield* firstOf(refused, "were refused");
  if (stop === undefined) return;
  yield stop.message;
  const unsent = all.flatMap(({ source, outcome }) =>
    outcome.state === "unsent" ? [`${harmless(source.name)}: not sent`] : [],
  );
  yield* firstOf(unsent, "were not sent");
  if (storedOf(all) === 0) return;
  yield journalFault === undefined
    ? "the same command goes on from here"
    : `the same command sends all of it again, without harm: what was acknowledged could not be kept: ${journalFault}`;
}

function* firstOf(lines: readonly string[], did: string): Generator<string> {
  yield* lines.slice(0, LINES);
  if (lines.length > LINES) yield `… and ${lines.length - LINES} more ${did}; --json names all of them`;
}

/** As in "4990 of 5000 are stored"; of a dry run, "would be sent". */
export function summaryOf(all: readonly Settled[], dryRun: boolean): string {
  const planned = all.filter(({ outcome }) => outcome.state === "planned").length;
  return dryRun ? `${planned} of ${all.length} would be sent` : `${storedOf(all)} of ${all.length} are stored`;
}

function storedOf(all: readonly Settled[]): number {
  return all.filter(({ outcome }) => outcome.state === "stored" || outcome.state === "resumed").length;
}
