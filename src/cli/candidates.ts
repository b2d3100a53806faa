// What may stand at the end of an unfinished command line: verbs, options, values of options, names that the server knows.

import type { Argument, Command, Option } from "commander";
import type { ClientOptions } from "./client-options.ts";
import { connect } from "./connection.ts";
import { readContexts } from "./contexts.ts";
import { countText } from "./count-text.ts";
import { type ListNames, listLabelNames, listServices, listTypes, listValuesOf } from "./names.ts";
import { withoutSecrets } from "./target.ts";
import { GROUPINGS } from "./top.ts";

export interface Candidate {
  /** ":files" stands for names of files, which shells know better. */
  value: string;
  description?: string;
}

/** What stands before: options, by their attribute's name. */
interface Given extends ClientOptions {
  service?: string;
  /** The last of the arguments before. */
  argument?: string;
}

type Values = (word: string, given: Given) => Promise<Candidate[]>;

/** The most that a shell shows without asking. */
const NAMES_MAX = 100;

const FILES: Values = async () => [{ value: ":files" }];

/** By the long name of an option, or by that of an argument. What is not here and has no choices is not completed. */
const VALUES: Record<string, Values> = {
  service: namesBy(listServices),
  type: namesBy(listTypes),
  label: completeLabel,
  context: completeContext,
  output: FILES,
  "key-file": FILES,
  data: FILES,
  config: FILES,
  "tls-cert": FILES,
  "tls-key": FILES,
  "<file>": FILES,
  "<source>": FILES,
  policy: completePolicy,
  release: completeRelease,
  pin: completePin,
  by: async () => GROUPINGS.map((value) => ({ value: value === "label" ? "label=" : value })),
  "<selector>": completeSelector,
  "<selector or ids>": completeSelector,
  "<context>": completeContext,
  "<label>": namesBy(listLabelNames),
  "<policy>": completePolicy,
  "<service@channel>": completePin,
  "<release>": async (_, { argument = "", ...given }) => releasesOf(argument.replace(/@[^@]*$/, ""), given),
};

/** `words` begin behind the name of the program; the last one is unfinished. */
export async function candidatesFor(program: Command, words: readonly string[]): Promise<Candidate[]> {
  const word = words.at(-1) ?? "";
  const { command, option, argumentAt, given } = walk(program, words.slice(0, -1));
  if (option) return await valuesOf(option.long!.slice(2), option.argChoices, word, given);
  const assigned = /^--([^=]+)=(.*)$/.exec(word);
  if (assigned) {
    const [, name, value] = assigned;
    const known = optionsOf(command).find(({ long }) => long === `--${name}`);
    const values = known ? await valuesOf(name!, known.argChoices, value!, given) : [];
    return values.map((each) => (each.value === ":files" ? each : { ...each, value: `--${name}=${each.value}` }));
  }
  if (word.startsWith("-")) {
    const options = optionsOf(command).flatMap(({ long, description }) => (long ? [{ value: long, description }] : []));
    return [...options, { value: "--help", description: "say what there is" }].filter(startsWith(word));
  }
  const verbs = command.createHelp().visibleCommands(command);
  if (verbs.length > 0) {
    return verbs.map((verb) => ({ value: verb.name(), description: verb.description() })).filter(startsWith(word));
  }
  const argument = argumentOf(command, argumentAt);
  return argument ? await valuesOf(`<${argument.name()}>`, argument.argChoices, word, given) : [];
}

interface Place {
  command: Command;
  /** The option whose value is due. */
  option: Option | undefined;
  /** How many arguments stand before. */
  argumentAt: number;
  given: Given;
}

function walk(program: Command, words: readonly string[]): Place {
  const place: Place = { command: program, option: undefined, argumentAt: 0, given: {} };
  const given: Record<string, string> = {};
  for (const word of words) {
    if (place.option) {
      given[place.option.attributeName()] = word;
      place.option = undefined;
      continue;
    }
    const [flag, value] = word.split(/=(.*)/s, 2);
    const option = optionsOf(place.command).find(({ short, long }) => flag === short || flag === long);
    if (option && value !== undefined) given[option.attributeName()] = value;
    else if (option?.required) place.option = option;
    const verb = place.command.commands.find((each) => each.name() === word);
    if (verb) place.command = verb;
    else if (!word.startsWith("-")) {
      place.argumentAt++;
      given.argument = word;
    }
  }
  place.given = given;
  return place;
}

function optionsOf(command: Command): readonly Option[] {
  const all = [...command.options, ...(command.parent ? optionsOf(command.parent) : [])];
  return all.filter(({ hidden, long }) => !hidden && long !== "--version");
}

function argumentOf(command: Command, at: number): Argument | undefined {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  return registeredArguments[at] ?? (last?.variadic ? last : undefined);
}

async function valuesOf(
  name: string,
  choices: readonly string[] | undefined,
  word: string,
  given: Given,
): Promise<Candidate[]> {
  if (choices) return choices.map((value) => ({ value })).filter(startsWith(word));
  const values = VALUES[name];
  return values ? (await values(word, given)).filter((each) => each.value === ":files" || startsWith(word)(each)) : [];
}

function startsWith(word: string): (candidate: Candidate) => boolean {
  return ({ value }) => value.startsWith(word);
}

async function names(list: ListNames, prefix: string, client: ClientOptions): Promise<Candidate[]> {
  const request = { selector: "", prefix, pageSize: NAMES_MAX, pageToken: "" };
  const { names: found } = await list(await connect(client), request);
  return found.map(({ name, profileCount }) => ({
    value: name,
    description: countText(profileCount, "profile"),
  }));
}

function namesBy(list: ListNames): Values {
  return (word, client) => names(list, word, client);
}

/** First the name and "=", then the values. */
async function completeLabel(word: string, client: ClientOptions): Promise<Candidate[]> {
  const equals = word.indexOf("=");
  if (equals < 0) {
    const found = await names(listLabelNames, word, client);
    return found.map(({ value }) => ({ value: `${value}=` }));
  }
  const name = word.slice(0, equals);
  const found = await names(listValuesOf(name), word.slice(equals + 1), client);
  return found.map((each) => ({ ...each, value: `${name}=${each.value}` }));
}

/** A type alone is a selector. */
async function completeSelector(word: string, client: ClientOptions): Promise<Candidate[]> {
  return /^\w*$/.test(word) ? await names(listTypes, word, client) : [];
}

/** Of the service that was named before. */
async function completePolicy(_: string, { service, ...given }: Given): Promise<Candidate[]> {
  if (service === undefined) return [];
  const { policies } = await (await connect(given)).pgo.listPgoPolicies({ service });
  return policies.map(({ name, selector }) => ({ value: name, description: selector }));
}

async function completeRelease(_: string, { service, ...given }: Given): Promise<Candidate[]> {
  return service === undefined ? [] : await releasesOf(service, given);
}

async function releasesOf(service: string, given: Given): Promise<Candidate[]> {
  const { releases } = await (await connect(given)).pgo.listReleases({ service, pageSize: NAMES_MAX });
  const channels = releases.flatMap(({ name, channels }) => channels.map((value) => ({ value, description: name })));
  return [...channels, ...releases.map(({ name }) => ({ value: name }))];
}

/** First the service and "@", then its channels and releases. */
async function completePin(word: string, given: Given): Promise<Candidate[]> {
  const at = word.lastIndexOf("@");
  if (at < 0) return (await names(listServices, word, given)).map(({ value }) => ({ value: `${value}@` }));
  const service = word.slice(0, at);
  const found = await releasesOf(service, given);
  return found.map((each) => ({ ...each, value: `${service}@${each.value}` }));
}

async function completeContext(): Promise<Candidate[]> {
  const { all } = await readContexts();
  return [...all].map(([value, { server }]) => ({ value, description: withoutSecrets(server) }));
}
