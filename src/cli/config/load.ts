// The configuration that is in force: flags before environment before file before defaults, each value with where it comes from.

import type { KeyFile, Permit } from "../../http/keys/key-file.ts";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import { type Environment, FILE_VARIABLE, readEnvironment } from "./environment.ts";
import type { GivenFlags } from "./flags.ts";
import { readFlags } from "./given-flags.ts";
import { faultsOfPairs } from "./pairs.ts";
import type { Setting } from "./setting.ts";
import { type Configuration, LIMIT_SETTINGS, PLAIN_SETTINGS, SETTINGS } from "./settings.ts";
import { type Fault, type Source, type Word, type Written, writtenAt } from "./written.ts";

/** A setting as it came out. */
export interface Resolved {
  setting: Setting;
  /** As they were written; none where it is not set and has no default. */
  texts: readonly string[];
  /** `default`, or where it was written. */
  origin: string;
  value: unknown;
}

export interface Loaded {
  configuration: Configuration;
  /** In the order of SETTINGS. */
  resolved: readonly Resolved[];
  warnings: readonly string[];
}

export type LoadOutcome = Loaded & { faults: readonly Fault[] };

export interface ConfigurationSources {
  flags: GivenFlags;
  environment: Environment;
}

const DEFAULT_ORIGIN = "default";
/** Twice the same, it is two. */
const ANY_FREE_PORT = /:0$/;
/** Line 9 before line 10. */
const PLACE_ORDER = new Intl.Collator("en", { numeric: true });

/** Throws `invalid` with every fault, a line for each. */
export async function loadConfiguration(sources: ConfigurationSources): Promise<Loaded> {
  const { faults, ...loaded } = await checkConfiguration(sources);
  if (faults.length > 0) throw new DomainError("invalid", faultLines(faults).join("\n"));
  return loaded;
}

export function faultLines(faults: readonly Fault[]): string[] {
  return faults.map(({ place, message }) => `${place}: ${message}`);
}

/** All that is wrong, in whatever source, also in one that another overrules. */
export async function checkConfiguration({ flags, environment }: ConfigurationSources): Promise<LoadOutcome> {
  const fromFlags = readFlags(flags);
  const fromEnvironment = readEnvironment(environment);
  const path = (flags.config as string | undefined) ?? environment[FILE_VARIABLE];
  const fromFile = path ? await readFile(path) : { written: [], faults: [] };
  const faults = [...fromFlags.faults, ...fromFile.faults];
  const resolved = new Map<Setting, Resolved>(SETTINGS.map((setting) => [setting, defaultOf(setting)]));
  for (const written of [...fromFile.written, ...fromEnvironment.written, ...fromFlags.written]) {
    const value = readWords(written, faults);
    const texts = written.words.map(({ text }) => text);
    resolved.set(written.setting, { setting: written.setting, texts, origin: written.place, value });
  }
  const all = [...resolved.values()];
  const configuration = configurationOf(all);
  faults.push(
    ...faultsOfPairs(configuration, all),
    ...(await policiesFaults(configuration, all)),
    ...(await keysFaults(configuration, all)),
  );
  return { configuration, resolved: all, warnings: fromEnvironment.warnings, faults: inOrder(faults) };
}

/** The parser of YAML is loaded by those who have a file. */
async function readFile(path: string): Promise<Source> {
  const { readConfigurationFile } = await import("./file.ts");
  return readConfigurationFile(path);
}

function defaultOf(setting: Setting): Resolved {
  const texts = setting.default === undefined ? [] : [setting.default];
  const value = readWords(writtenAt(setting, DEFAULT_ORIGIN, texts), []);
  return { setting, texts, origin: DEFAULT_ORIGIN, value };
}

/** Each once: of several empty words of a list there is one thing to say. */
function inOrder(faults: readonly Fault[]): Fault[] {
  const byLine = new Map(faults.map((fault) => [faultLines([fault])[0]!, fault]));
  return [...byLine.values()].sort((a, b) => PLACE_ORDER.compare(a.place, b.place));
}

function readWords({ setting, words }: Written, faults: Fault[]): unknown {
  const values = words.map((word) => read(setting, word, faults));
  const texts = words.map(({ text }) => text);
  const isAgain = ({ text }: Word, at: number) => text !== "" && !ANY_FREE_PORT.test(text) && texts.indexOf(text) < at;
  for (const { text, place } of words.filter(isAgain)) {
    faults.push({ place, message: `Cannot set ${setting.key} to ${quote(text)} twice: leave one of them out` });
  }
  return setting.isList ? values : values[0];
}

function read({ key, kind }: Setting, { text, place }: Word, faults: Fault[]): unknown {
  try {
    if (text === "") throw new DomainError("invalid", `Cannot set ${key} to nothing: write ${kind.allowed}`);
    return kind.read(key, text);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    faults.push({ place, message: error.message });
    return undefined;
  }
}

/** The values alone. */
export function configurationOf(resolved: readonly Resolved[]): Configuration {
  const valuesOf = (settings: readonly Setting[]) =>
    Object.fromEntries(
      resolved.filter(({ setting }) => settings.includes(setting)).map(({ setting, value }) => [setting.name, value]),
    );
  return { ...valuesOf(PLAIN_SETTINGS), limits: valuesOf(LIMIT_SETTINGS) } as unknown as Configuration;
}

/** What the files of policies and of their prune rules say is wrong where the server would find it so. */
async function policiesFaults(configuration: Configuration, resolved: readonly Resolved[]): Promise<Fault[]> {
  const { pgoPolicies, autopgoPrune, limits } = configuration;
  if (pgoPolicies === undefined && autopgoPrune === undefined) return [];
  const { readPgoPolicies } = await import("../../pgo-policies-file.ts");
  const { readAutopgoPrune, withPruneRules } = await import("../../autopgo-prune-file.ts");
  let key = "pgo_policies";
  try {
    const policies = pgoPolicies === undefined ? new Map() : await readPgoPolicies(pgoPolicies, limits);
    key = "autopgo_prune";
    if (autopgoPrune !== undefined) withPruneRules(policies, await readAutopgoPrune(autopgoPrune, limits), limits);
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return [{ place: resolved.find(({ setting }) => setting.key === key)!.origin, message: error.message }];
  }
}

/** The same of the files of keys, a fault for each line. */
async function keysFaults(configuration: Configuration, resolved: readonly Resolved[]): Promise<Fault[]> {
  const { keys, tlsClientCa, pgoFleetSubmitKeys, pgoFleetMergeKeys, limits } = configuration;
  if (keys === undefined && pgoFleetSubmitKeys === undefined && pgoFleetMergeKeys === undefined) return [];
  const { readKeyFile } = await import("../../http/keys/key-file.ts");
  const { readFleetKeyFile } = await import("../../compat/pgo-fleet/key-file.ts");
  const faultsOf = (key: string, path: string | undefined, read: (path: string) => unknown): Fault[] => {
    if (path === undefined) return [];
    try {
      read(path);
      return [];
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const place = resolved.find(({ setting }) => setting.key === key)!.origin;
      return error.message.split("\n").map((message) => ({ place, message }));
    }
  };
  return [
    ...faultsOf("keys", keys, (path) => checkAsked(readKeyFile(path, limits), path, tlsClientCa)),
    ...faultsOf("pgo_fleet_submit_keys", pgoFleetSubmitKeys, (path) => readFleetKeyFile(path, "write", limits)),
    ...faultsOf("pgo_fleet_merge_keys", pgoFleetMergeKeys, (path) => readFleetKeyFile(path, "pgo", limits)),
  ];
}

/** Throws `invalid` where keys are certificates that no client is asked for. */
function checkAsked({ certificates }: KeyFile, path: string, tlsClientCa: string | undefined): void {
  if (certificates.size === 0 || tlsClientCa !== undefined) return;
  const [{ name }] = [...certificates.values()] as [Permit];
  throw new DomainError(
    "invalid",
    `Cannot let in ${quote(name)} of ${path} by its certificate: set tls_client_ca, so that clients are asked for theirs`,
  );
}
