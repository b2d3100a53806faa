// The environment as a source of settings: PROFUSION_*, and a few of the systems that this replaces. An empty variable is one that is not set.

import { didYouMean } from "../../model/nearest.ts";
import { SETTINGS } from "./settings.ts";
import { type Written, writtenAt } from "./written.ts";

const PREFIX = "PROFUSION_";
export const FILE_VARIABLE = "PROFUSION_CONFIG";
/** Read elsewhere: by the verbs that ask a server. */
const OTHER_VARIABLES = ["PROFUSION_SERVER", "PROFUSION_KEY", "PROFUSION_KEY_FILE", "PROFUSION_CONTEXT"];
/** What Kubernetes sets in every pod beside a service of the name profusion. */
const OF_KUBERNETES = /^PROFUSION_(SERVICE_(HOST|PORT)|PORT)(_|$)/;

export type Environment = Readonly<Record<string, string | undefined>>;

export function readEnvironment(environment: Environment): { written: Written[]; warnings: string[] } {
  const written = SETTINGS.flatMap((setting) => {
    const name = [setting.variable, setting.foreignVariable ?? ""].find((each) => environment[each]);
    if (name === undefined) return [];
    const text = environment[name]!;
    const texts = setting.isList ? text.split(",").map((part) => part.trim()) : [text];
    return [writtenAt(setting, name, texts)];
  });
  return { written, warnings: unknownVariables(environment) };
}

/** Warned of, not refused: the environment is also others'. */
function unknownVariables(environment: Environment): string[] {
  const known = [FILE_VARIABLE, ...SETTINGS.map(({ variable }) => variable)];
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && !OF_KUBERNETES.test(name))
    .filter((name) => !known.includes(name) && !OTHER_VARIABLES.includes(name))
    .map((name) => `The variable ${name} is not used: no setting has this name${didYouMean(name, known, PREFIX)}`);
}
