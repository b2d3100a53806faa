// What may be written to whoever reads: characters, colours, width. All of it is decided here, by the environment and the stream.

import { stripVTControlCharacters, styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** C1 controls move cursors as C0 ones do, and marks of direction reorder what stands beside them: names must do neither. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const NOT_ASCII = /[^\t\n\u0020-\u007e]/gu;

/** False where the locale names another character set, as LANG=C does. Where it names none, as in most containers, true. */
export function speaksUtf8(env: NodeJS.ProcessEnv = process.env): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "UTF-8";
  return /utf-?8/i.test(locale);
}

/** Text for people, in the characters that the terminal has: `é` becomes `\u{e9}` where it has only ASCII. */
export function shown(text: string, env: NodeJS.ProcessEnv = process.env): string {
  return speaksUtf8(env) ? text : text.replace("…", "...").replace(NOT_ASCII, escaped);
}

/** A name or value in one line, which cannot do anything to the terminal. */
export function harmless(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** Of several lines: their ends stay. What names are in it must be harmless before. */
export function harmlessLines(text: string): string {
  return text.split("\n").map(harmless).join("\n");
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/** In colour where the stream is a terminal that has them; NO_COLOR and FORCE_COLOR decide otherwise. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream): string {
  return styleText(style, text, { stream });
}

export function plain(text: string): string {
  return stripVTControlCharacters(text);
}

/** Columns of the terminal; none where the stream is not one, and nothing needs to be cut. */
export function columnsOf(stream: NodeJS.WriteStream): number | undefined {
  return stream.isTTY && stream.columns > 0 ? stream.columns : undefined;
}
