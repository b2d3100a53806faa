// What a verb says: its answer on stdout, notes on stderr; as text, as JSON, or as names alone. Tables are table.ts's.

import type { JsonValue } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { harmless, harmlessLines, shown, speaksUtf8, styled } from "./terminal.ts";

export interface OutputOptions {
  json?: true;
  quiet?: true;
}

export function addOutputOptions(command: Command, quiet = "no headings, notes or warnings"): Command {
  return command
    .option("--json", "answer one JSON document, described in docs/command-line.md")
    .option("-q, --quiet", quiet);
}

/** Lines of the answer. */
export function answer(lines: string): void {
  process.stdout.write(`${shown(harmlessLines(lines))}\n`);
}

/** Names or ids, one a line, exactly as they are, for other programs. */
export function answerExactly(names: readonly string[]): void {
  process.stdout.write(names.map((name) => `${name}\n`).join(""));
}

/** One JSON document; where the terminal has only ASCII, escaped as JSON escapes. */
export function answerJson(value: unknown): void {
  process.stdout.write(`${jsonText(value, 2)}\n`);
}

export interface JsonPage {
  elements: JsonValue[];
  /** There are elements that were not asked for. */
  more: boolean;
}

/** As answerJson() of `{ [name]: elements, "more": … }`, but that each page is written when it is there; one element a line. */
export async function answerJsonPages(name: string, pages: AsyncIterable<JsonPage>): Promise<void> {
  let separator = "\n";
  let more = false;
  process.stdout.write(`{${jsonText(name)}: [`);
  for await (const page of pages) {
    for (const element of page.elements) {
      process.stdout.write(`${separator}${jsonText(element)}`);
      separator = ",\n";
    }
    more = page.more;
  }
  process.stdout.write(`\n], "more": ${more}}\n`);
}

function jsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent);
  const unit = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return speaksUtf8() ? text : text.replace(/[\u007f-\uffff]/g, unit);
}

/** What one may want to know beside the answer. */
export function note(line: string, { quiet }: OutputOptions): void {
  if (!quiet) process.stderr.write(`${shown(harmless(line))}\n`);
}

export function warn(line: string, { quiet }: OutputOptions): void {
  if (!quiet) process.stderr.write(`${styled("yellow", "warning:", process.stderr)} ${shown(harmless(line))}\n`);
}

/** One line for what failed; further lines of the message show where. */
export function complain(message: string): void {
  process.stderr.write(`${styled("red", "profusion:", process.stderr)} ${shown(harmlessLines(message))}\n`);
}
