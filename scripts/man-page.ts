// docs/profusion.1 out of the command line's own tree: `npm run docs:man` writes it, test/cli/man-page.test.ts says when it is stale.

import { writeFileSync } from "node:fs";
import type { Argument, Command, Option } from "commander";
import { EXIT } from "../src/cli/exit-code.ts";
import { createProgram } from "../src/cli/program.ts";

export const MAN_PAGE = new URL("../docs/profusion.1", import.meta.url);

/** In the macros of man(7), which man-db and mandoc both read. Without a date, which would make it another page every day. */
export function manPage(program: Command): string {
  const lines = [
    `.TH PROFUSION 1 "" "profusion ${program.version()}"`,
    ".SH NAME",
    `profusion \\- ${text(lower(program.description()))}`,
    ".SH SYNOPSIS",
    ".B profusion",
    ".I verb",
    ".RI [ options ]",
    ".SH OPTIONS OF EVERY VERB",
    ...program.options.flatMap(optionLines),
    ".SH VERBS",
    ...program.commands.flatMap((command) => verbLines(command, "profusion")),
    ".SH EXIT STATUS",
    ...Object.entries(EXIT).flatMap(([name, code]) => [".TP", `.B ${code}`, text(spaced(name))]),
    ".SH SEE ALSO",
    "docs/command\\-line.md has the forms of selectors, times and JSON.",
  ];
  return `${lines.join("\n")}\n`;
}

function verbLines(command: Command, parents: string): string[] {
  if ((command as { _hidden?: boolean })._hidden) return [];
  const name = `${parents} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((below) => verbLines(below, name));
  const help = helpAfter(command);
  return [
    `.SS ${quoted(`${name} ${command.usage().replace("[options] ", "")}`)}`,
    text(`${upper(command.description())}.`),
    ...command.registeredArguments.flatMap(argumentLines),
    ...command.options.filter(({ hidden }) => !hidden).flatMap(optionLines),
    ...(help === "" ? [] : [".PP", ".nf", ...help.split("\n").map(text), ".fi"]),
  ];
}

function argumentLines(argument: Argument): string[] {
  const { description } = argument;
  return description === "" ? [] : [".TP", `.I ${quoted(argument.name())}`, text(description)];
}

function optionLines({ flags, description }: Option): string[] {
  return [".TP", `.B ${quoted(flags)}`, text(description)];
}

/** What addHelpText() put behind the options: examples and lists. */
function helpAfter(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => parts.push(part) }).outputHelp();
  return parts.join("").replace(command.helpInformation(), "").trim();
}

/** Hyphens that are typed, backslashes, and dots that begin a line are roff's own. */
function text(line: string): string {
  const escaped = line.replaceAll("\\", "\\e").replaceAll("-", "\\-");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function quoted(words: string): string {
  return `"${text(words).replaceAll('"', '""')}"`;
}

function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function lower(sentence: string): string {
  return sentence[0]!.toLowerCase() + sentence.slice(1);
}

function upper(sentence: string): string {
  return sentence[0]!.toUpperCase() + sentence.slice(1);
}

if (import.meta.main) writeFileSync(MAN_PAGE, manPage(await createProgram()));
