// Flags as a source of settings. How they are declared is in flags.ts.

import { didYouMean } from "../../model/nearest.ts";
import { quote } from "../../model/text.ts";
import type { GivenFlags } from "./flags.ts";
import { LIMIT_SETTINGS, LIMITS_SECTION, PLAIN_SETTINGS, snakeCase } from "./settings.ts";
import { type Fault, type Source, type Written, writtenAt } from "./written.ts";

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
  return {
    place: "--limit",
    message: `Cannot set limit ${quote(name)}: no limit has this name${didYouMean(name, names)}`,
  };
}
