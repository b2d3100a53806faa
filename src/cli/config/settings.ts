// Every setting of the server, once: flags, environment, the file, their checks, the JSON Schema and docs/configuration.md follow from here.
// The limits, with their reasons, are in src/model/limits.ts.

import { PROTOCOLS } from "../../http/protocols.ts";
import type { TlsFiles } from "../../http/tls.ts";
import { formatLimit } from "../../model/limit.ts";
import { LIMIT_NAMES, LIMITS, type Limits } from "../../model/limits.ts";
import {
  address,
  type Definition,
  file,
  folder,
  type Kind,
  limitKind,
  oneOf,
  originals,
  type Setting,
  toggle,
} from "./setting.ts";

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

const DEFINITIONS = {
  listen: {
    kind: address,
    isList: true,
    default: "127.0.0.1:10100",
    description:
      "Where to listen, one address or several. By default only this machine is served: before you serve others, give keys.",
  },
  data: {
    kind: folder,
    default: "./data",
    description: "Where the profiles live. It is made where it is absent; one process at a time has it.",
  },
  tlsCert: {
    kind: file,
    isReloadable: true,
    description:
      "Answer TLS too, beside cleartext, with this certificate and its chain, PEM. Read anew at every reload.",
  },
  tlsKey: {
    kind: file,
    isReloadable: true,
    description: "The certificate's key, PEM without a passphrase: the server starts unattended.",
  },
  tlsClientCa: {
    kind: file,
    isReloadable: true,
    description:
      "Ask clients of TLS for a certificate that one of these authorities has signed, PEM; who has none is served all the same. What its name may do, the file of keys says.",
  },
  pack: {
    kind: toggle,
    default: "true",
    description:
      "Pack profiles when their hour or day is over: they take some twentieth of the space, and merges of them a fraction of the time.",
  },
  originals: {
    kind: originals,
    default: "until-packed",
    description:
      "Of packed profiles, how long what was sent stays. Packs give every profile back, so by default nothing is held twice; the wrapper of gzip goes.",
  },
  selfProfile: {
    kind: toggle,
    default: "false",
    description:
      "Profile the server itself: CPU and heap of the thread that answers requests, ten seconds of each minute, kept as service profusion. Of use to see how Profusion works, and why it is slow. It costs less than 2 % of the CPU time (the benchmark's row self-profile).",
  },
  pgoPolicies: {
    kind: file,
    isReloadable: true,
    description:
      "How PGO profiles are made, by service and policy, as docs/pgo.md tells: YAML or JSON. What is set over the API comes before it. Read anew at every reload.",
  },
  pgoFleetSubmitKeys: {
    kind: file,
    foreignVariable: "PGOF_SUBMIT_AUTH_KEYS_FILE",
    description:
      "The keys that may submit as to pgo-fleet's collector, one a line, each with what it may be bound to: KEY service=foo,region=eu. It is read again within a second or two of a change.",
  },
  pgoFleetMergeKeys: {
    kind: file,
    foreignVariable: "PGOF_MERGE_AUTH_KEYS_FILE",
    description: "The keys that may merge, likewise. Neither file's keys are the other's.",
  },
  autopgoPrune: {
    kind: file,
    isReloadable: true,
    description:
      "The file of prune rules of autopgo's worker, JSON as it is there. An app's rules come behind those of its policies default and autopgo in the file of PGO policies; they are applied to what is served, never to what is kept. Read anew at every reload.",
  },
  keys: {
    kind: file,
    isReloadable: true,
    description:
      "Who may do what: keys, one a line, with their scopes and what they are bound to, as docs/access.md tells. Without it everybody who reaches the server may do everything. It is read again within a second or two of a change, and at every reload.",
  },
  enable: {
    kind: oneOf("<protocol>", PROTOCOLS),
    isList: true,
    description:
      "Speak these protocols and no others. profusion is the contract, which this command line and generated clients speak; profefe is also where profiles and merges are downloaded from.",
  },
  disable: {
    kind: oneOf("<protocol>", PROTOCOLS),
    isList: true,
    description: "Speak all protocols but these; of those that enable names too. Their paths are then not found.",
  },
  logLevel: {
    kind: oneOf("<level>", LOG_LEVELS),
    default: "info",
    isReloadable: true,
    description: "From which level on lines are logged, as JSON on stdout. info has one for each request.",
  },
} as const satisfies Record<string, Definition>;

type Definitions = typeof DEFINITIONS;
type ValueOf<Each> = Each extends { kind: Kind<infer Value> }
  ? Each extends { isList: true }
    ? readonly Value[]
    : Each extends { default: string }
      ? Value
      : Value | undefined
  : never;

/** What the server runs with. */
export type Configuration = { readonly [name in keyof Definitions]: ValueOf<Definitions[name]> } & {
  readonly limits: Limits;
};

export const LIMITS_SECTION = "limits";

export const PLAIN_SETTINGS: readonly Setting[] = Object.entries<Definition>(DEFINITIONS).map(([name, definition]) => ({
  isReloadable: false,
  ...definition,
  name,
  key: snakeCase(name),
  variable: `PROFUSION_${snakeCase(name).toUpperCase()}`,
  flag: `--${snakeCase(name).replaceAll("_", "-")}`,
}));

export const LIMIT_SETTINGS: readonly Setting[] = LIMIT_NAMES.map((name) => ({
  kind: limitKind(LIMITS[name]),
  default: formatLimit(LIMITS[name], LIMITS[name].default),
  description: LIMITS[name].description,
  isReloadable: LIMITS[name].isReloadable,
  name,
  key: `${LIMITS_SECTION}.${snakeCase(name)}`,
  variable: `PROFUSION_LIMIT_${snakeCase(name).toUpperCase()}`,
  flag: `--limit ${snakeCase(name)}`,
}));

export const SETTINGS: readonly Setting[] = [...PLAIN_SETTINGS, ...LIMIT_SETTINGS];

/** Undefined where TLS is off. */
export function tlsFiles({ tlsCert, tlsKey, tlsClientCa }: Configuration): TlsFiles | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { certificate: tlsCert, key: tlsKey, clientAuthority: tlsClientCa };
}

/** bodyBytes → body_bytes. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, "_$&").toLowerCase();
}
