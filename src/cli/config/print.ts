// The configuration in force as YAML and for --json, each value with where it comes from: a file that gives the same again.

import { parse } from "yaml";
import type { Resolved } from "./load.ts";
import { LIMITS_SECTION } from "./settings.ts";

export function configurationText(resolved: readonly Resolved[]): string {
  const lines = resolved.map(({ setting, texts, origin }) => {
    const name = setting.key.split(".").at(-1)!;
    const words = texts.map(plainOrQuoted);
    const value = setting.isList && words.length > 0 ? `[${words.join(", ")}]` : words[0];
    const indent = setting.key.startsWith(`${LIMITS_SECTION}.`) ? "  " : "";
    return {
      line: value === undefined ? `# ${name}: not set` : `${indent}${name}: ${value}`,
      origin,
      isLimit: indent !== "",
    };
  });
  const width = Math.max(...lines.map(({ line }) => line.length));
  const text = (isLimit: boolean) =>
    lines
      .filter((each) => each.isLimit === isLimit)
      .map(({ line, origin }) => `${line.padEnd(width)}  # ${origin}\n`)
      .join("");
  return `${text(false)}${LIMITS_SECTION}:\n${text(true)}`;
}

/** As words, and null for what is not set. */
export function settingsAsJson(resolved: readonly Resolved[]): object[] {
  return resolved.map(({ setting: { key, isList }, texts, origin }) => ({
    key,
    value: isList ? texts : (texts[0] ?? null),
    origin,
  }));
}

/** Quoted where YAML might read something else. */
function plainOrQuoted(text: string): string {
  const isPlain = /^[\w./][\w./:%-]*$/.test(text) && String(parse(text) ?? "") === text;
  return isPlain ? text : JSON.stringify(text);
}
