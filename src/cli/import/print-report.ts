// The end of an import in words: a table on stdout or one JSON document, notes and complaints on stderr, the exit code.

import type { DomainError } from "../../model/errors.ts";
import { formatTime } from "../../model/time.ts";
import { countText } from "../count-text.ts";
import { EXIT, exitCodeOf } from "../exit-code.ts";
import { formatLocalTime } from "../local-time.ts";
import { answerJson, complain, note, type OutputOptions, warn } from "../output.ts";
import { type Column, createTable } from "../table.ts";
import { harmless } from "../terminal.ts";
import type { ImportReport, Row } from "./report.ts";

/** Lines of one kind: whoever has more wants JSON. */
const LINES = 20;

export interface ImportEnd {
  store: string;
  server: string;
  /** What was to be imported. */
  total: number;
  dryRun: boolean;
  stop: DomainError | undefined;
  journalFault: string | undefined;
}

export function printReport(report: ImportReport, end: ImportEnd, options: OutputOptions): void {
  const { total, dryRun } = end;
  if (options.json) answerJson(jsonReport(report, end));
  else if (report.rows.size > 0 && !options.quiet) printRows(sortedRows(report), dryRun);
  for (const line of notesOf(report)) note(line, options);
  for (const [warning, { first, count }] of report.warnings) {
    warn(`${first}${count === 1 ? "" : ` and ${count - 1} more`}: ${warning}`, options);
  }
  for (const line of complaintsOf(report, end)) complain(line);
  note(summaryOf(report, total, dryRun), options);
  const code = exitCode(report, end);
  if (code !== EXIT.done) process.exitCode = code;
}

/** As they came they would be in another order each time. */
function sortedRows({ rows }: ImportReport): Row[] {
  const keyOf = ({ layout, service, type }: Row) => JSON.stringify([layout, service, type]);
  return [...rows.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function printRows(rows: readonly Row[], dryRun: boolean): void {
  const number = (heading: string, value: (row: Row) => number): Column<Row> => ({
    heading,
    cell: (row) => `${value(row)}`,
    align: "right",
  });
  const time = (ns: bigint | undefined) => (ns === undefined ? "-" : formatLocalTime(ns));
  const counts = dryRun
    ? [number("TO IMPORT", ({ planned }) => planned)]
    : [number("IMPORTED", ({ imported }) => imported), number("THERE BEFORE", ({ thereBefore }) => thereBefore)];
  createTable<Row>([
    { heading: "LAYOUT", cell: ({ layout }) => layout },
    { heading: "SERVICE", cell: ({ service }) => service },
    { heading: "TYPE", cell: ({ type }) => type ?? "by its columns" },
    ...counts,
    { heading: "FIRST", cell: ({ firstNs }) => time(firstNs) },
    { heading: "LAST", cell: ({ lastNs }) => time(lastNs) },
  ]).print(rows);
}

function* notesOf(report: ImportReport): Generator<string> {
  const { resumed, empty, inSums, strange } = report;
  if (resumed > 0) yield `${resumed} were acknowledged before and not sent again; --no-resume sends them`;
  if (empty.length > 0)
    yield `${countText(empty.length, "profile")} without samples left out: ${shortened(empty, empty.length)}`;
  for (const [sum, objects] of Map.groupBy(inSums, (object) => object.sum)) {
    const names = objects.map(({ name }) => name);
    yield `left out, as ${sum}, the newest sum, may have them in it: ${shortened(names, names.length)}`;
  }
  if (strange.count > 0) {
    yield `${countText(strange.count, "object")} left out whose names no layout has: ${shortened(strange.examples, strange.count)}`;
  }
}

function shortened(names: readonly string[], count: number): string {
  const shown = names.slice(0, 3).map(harmless).join(", ");
  return count > 3 ? `${shown}, … (${count})` : shown;
}

function* complaintsOf({ refused, settled }: ImportReport, { stop, journalFault }: ImportEnd): Generator<string> {
  for (const { name, failure } of refused.slice(0, LINES)) yield `${harmless(name)}: ${harmless(failure.message)}`;
  if (refused.length > LINES) yield `… and ${refused.length - LINES} more were refused; --json names all of them`;
  if (stop === undefined) return;
  yield stop.message;
  if (settled === refused.length) return;
  yield journalFault === undefined
    ? "the same command goes on from here"
    : `the same command sends all of it again, without harm: what was acknowledged could not be kept: ${journalFault}`;
}

function summaryOf(report: ImportReport, total: number, dryRun: boolean): string {
  if (dryRun) return `${report.count("planned")} of ${total} would be sent`;
  const before = report.count("thereBefore") + report.resumed;
  const refused = report.refused.length > 0 ? `, ${report.refused.length} refused` : "";
  return `${report.count("imported")} of ${total} imported, ${before} there before${refused}`;
}

function exitCode({ refused, settled, strange }: ImportReport, { stop, total }: ImportEnd): number {
  if (stop !== undefined) return exitCodeOf(stop);
  if (total === 0) {
    complain(strange.count === 0 ? "Nothing is stored there" : "Nothing stored there has a name that a layout has");
    return EXIT.notFound;
  }
  if (refused.length === 0) return EXIT.done;
  return refused.length < settled ? EXIT.partial : exitCodeOf(refused[0]!.failure);
}

function jsonReport(report: ImportReport, { store, server, total, stop }: ImportEnd): Record<string, unknown> {
  const { resumed, refused, empty, inSums, strange } = report;
  const time = (ns: bigint | undefined) => (ns === undefined ? null : formatTime(ns));
  const errorOf = ({ kind, message }: DomainError) => ({ kind, message });
  const { planned, imported, thereBefore } = {
    planned: report.count("planned"),
    imported: report.count("imported"),
    thereBefore: report.count("thereBefore"),
  };
  const counts = { total, imported, thereBefore, resumed, planned, refused: refused.length, empty: empty.length };
  return {
    store,
    server,
    counts: { ...counts, inSums: inSums.length, strange: strange.count },
    stopped: stop ? errorOf(stop) : null,
    imports: sortedRows(report).map(({ firstNs, lastNs, type, ...row }) => ({
      ...row,
      profileType: type ?? null,
      firstTime: time(firstNs),
      lastTime: time(lastNs),
    })),
    refused: refused.map(({ name, failure }) => ({ name, error: errorOf(failure) })),
    empty,
    inSums,
    strange: strange.examples,
  };
}
