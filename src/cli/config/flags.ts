// The settings' flags, as commander is told of them. What was given is read in given-flags.ts, so that help loads no more than this.

import { type Command, Option } from "commander";
import { repeated } from "../repeated.ts";
import type { Setting } from "./setting.ts";
import { LIMIT_SETTINGS, PLAIN_SETTINGS } from "./settings.ts";

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
