// `profusion pgo check`: what the Go compiler makes of files that are here. It asks no server.

import { readFile } from "node:fs/promises";
import { DomainError } from "../../model/errors.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { checkPgoFile } from "../../pgo/check.ts";
import type { PgoReport } from "../../pgo/judge.ts";
import { reportText } from "../../pgo/report-text.ts";
import { EXIT } from "../exit-code.ts";
import { answer, answerExactly, answerJson, type OutputOptions } from "../output.ts";
import { systemFault } from "../system-fault.ts";
import { harmless } from "../terminal.ts";

export async function check(files: readonly string[], options: OutputOptions): Promise<void> {
  const reports = await Promise.all(files.map(async (file) => ({ file, report: await reportOn(file) })));
  if (reports.some(({ report }) => report.verdict === "unusable")) process.exitCode = EXIT.partial;
  if (options.json) return answerJson({ files: reports.map(({ file, report }) => ({ file, ...plain(report) })) });
  if (options.quiet) return answerExactly(reports.map(({ report }) => report.verdict));
  const texts = reports.map(
    ({ file, report }) => `${files.length > 1 ? `${harmless(file)}\n` : ""}${reportText(report)}`,
  );
  answer(texts.join("\n").trimEnd());
}

async function reportOn(file: string): Promise<PgoReport> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new DomainError("invalid", `Cannot read ${harmless(file)}: ${systemFault(cause)}`, { cause });
  });
  return checkPgoFile(bytes, DEFAULT_LIMITS);
}

/** As everywhere in the command line's JSON: numbers where JSON can hold them. */
function plain(report: PgoReport): PgoReport {
  const written = JSON.stringify(report, (_, value) =>
    typeof value !== "bigint" ? value : Number.isSafeInteger(Number(value)) ? Number(value) : String(value),
  );
  return JSON.parse(written) as PgoReport;
}
