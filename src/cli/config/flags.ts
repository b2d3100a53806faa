// Flags as a source of settings: how they are declared to commander, and what was given.

import { type Command, Option } from "commander";
import { repeated } from "../repeated.ts";
import { didYouMean } from "./nearest.ts";
import type { Setting } from "./setting.ts";
import { LIMIT_SETTINGS, LIMITS_SECTION, PLAIN_SETTINGS, snakeCase } from "./settings.ts";
import { type Fault, type Source, type Written, writtenAt } from "./written.ts";

/** What commander made of them: by the settings' names, and `config` and `limit`. */
export type GivenFlags = Readonly<Record<string, unknown>>;

export function addSettingFlags(command: Command): Command {
  command.option("--config <file>", "read settings from this YAML file (PROFUSION_CONFIG); flags and environment win");
  for (const setting of PLAIN_SETTINGS) for (const option of optionsOf(setting)) command.addOption(option);
  return command
    .addOption(
      new Option("--limit <name=value>", "set a limit; may be repeated (PROFUSION_LIMIT_<NAME>)").argParser(
        repeated(String),
      ),
    )
    .addHelpText("after", () => `\nLimits and their defaults:\n${limitLines()}`);
}

/** A toggle has two flags, since either may overrule a file; help shows the one that changes something. */
function optionsOf(setting: Setting): Option[] {
  const { kind, flag, description, variable } = setting;
  const by = setting.default === undefined ? variable : `${variable}; default ${setting.default}`;
  const told = `${firstSentence(description)} (${by})`;
  if (kind.placeholder !== "") {
    const option = new Option(`${flag} ${kind.placeholder}`, setting.isList ? `${told}; may be repeated` : told);
    return [setting.isList ? option.argParser(repeated(String)) : option];
  }
  const isOn = setting.default === "true";
  const opposite = `--no-${flag.slice(2)}`;
  return [new Option(flag, told).hideHelp(isOn), new Option(opposite, `do not ${told}`).hideHelp(!isOn)];
}

function firstSentence(description: string): string {
  const [first = ""] = description.split(/[.:](?= |$)/, 1);
  return first[0]!.toLowerCase() + first.slice(1);
}

function limitLines(): string {
  return LIMIT_SETTINGS.map(({ flag, default: value }) => `  ${flag.replace("--limit ", "")}=${value}`).join("\n");
}

export function readFlags(given: GivenFlags): Source {
  const written = PLAIN_SETTINGS.flatMap((setting): Written[] => {
    const value = given[setting.name];
    if (value === undefined) return [];
    const place = value === false ? `--no-${setting.flag.slice(2)}` : setting.flag;
    return [writtenAt(setting, place, Array.isArray(value) ? value.map(String) : [String(value)])];
  });
  const faults: Fault[] = [];
  for (const text of (given.limit ?? []) as readonly string[]) {
    const equals = text.indexOf("=");
    const name = snakeCase(equals < 0 ? text : text.slice(0, equals));
    const setting = LIMIT_SETTINGS.find(({ key }) => key === `${LIMITS_SECTION}.${name}`);
    if (setting === undefined) faults.push(unknownLimit(name));
    else if (equals < 0) faults.push({ place: "--limit", message: `Cannot set ${setting.key}: write ${name}=VALUE` });
    else written.push(writtenAt(setting, setting.flag, [text.slice(equals + 1)]));
  }
  return { written, faults };
}

function unknownLimit(name: string): Fault {
  const names = LIMIT_SETTINGS.map(({ key }) => key.slice(LIMITS_SECTION.length + 1));
  return { place: "--limit", message: `Cannot set limit "${name}": no limit has this name${didYouMean(name, names)}` };
}
