// A PGO policy as people and files write it: plain keys in snake_case, durations as they are said. What it may be is pgo-policy.ts's.

import { DomainError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { didYouMean } from "./nearest.ts";
import { checkPgoPolicy, DEFAULT_PGO_POLICY, type PgoPolicy, type PgoThreshold, type PruneRule } from "./pgo-policy.ts";
import { quote } from "./text.ts";
import { parseDuration } from "./time.ts";

type Plain = Readonly<Record<string, unknown>>;

/** How a key is read and written. */
interface Key<Value> {
  /** Undefined: it is of another kind, `allowed` says of which. */
  read(plain: unknown): Value | undefined;
  write(value: Value): unknown;
  allowed: string;
}

const text: Key<string> = {
  read: (plain) => (typeof plain === "string" ? plain : undefined),
  write: same,
  allowed: "a text",
};
const count: Key<number> = {
  read: (plain) => (typeof plain === "number" ? plain : undefined),
  write: same,
  allowed: "a number",
};
const texts: Key<readonly string[]> = {
  read: (plain) => (Array.isArray(plain) && plain.every((each) => typeof each === "string") ? plain : undefined),
  write: same,
  allowed: "a list of texts",
};

const KEYS: { readonly [name in Exclude<keyof PgoPolicy, "name">]-?: Key<PgoPolicy[name]> } = {
  selector: text,
  windowNs: {
    read: (plain) => (typeof plain === "string" ? parseDuration(plain) : undefined),
    write: (windowNs) => (windowNs === undefined ? undefined : `${windowNs / 1_000_000_000n}s`),
    allowed: "a duration, such as 7d",
  },
  newestVersions: count,
  minSamples: count,
  minProfiles: count,
  minInstances: count,
  weighting: {
    read: (plain) =>
      plain === "none" || plain === "instance_hour" ? (plain === "none" ? plain : "instance-hour") : undefined,
    write: (weighting) => weighting.replace("-", "_"),
    allowed: "instance_hour or none",
  },
  topByCpu: count,
  modeLabel: text,
  drop: texts,
  noInline: texts,
  prune: {
    read: (plain) => (Array.isArray(plain) ? plain.map(readRule) : undefined),
    write: same,
    allowed: "a list of {drop, keep}",
  },
  keepLocations: {
    read: (plain) => (plain === -1 ? 0 : plain === 0 || typeof plain !== "number" ? undefined : plain),
    write: (locations) => (locations === 0 ? -1 : locations),
    allowed: "-1 for all, or a number, 2 or more",
  },
  thresholds: {
    read: (plain) => (Array.isArray(plain) ? plain.map(readThreshold) : undefined),
    write: (all) =>
      all.map(({ finding, usableFrom, goodFrom }) => ({ finding, usable_from: usableFrom, good_from: goodFrom })),
    allowed: "a list of {finding, usable_from, good_from}",
  },
};

const NAMES = Object.keys(KEYS) as (keyof typeof KEYS)[];
const WRITTEN = new Map(NAMES.map((name) => [name === "windowNs" ? "window" : snakeCase(name), name]));

/** What is not said is the default. Throws `invalid`, naming `where`, the key and what is allowed. */
export function readPgoPolicy(where: string, name: string, plain: unknown, limits: Limits): PgoPolicy {
  const policy: Record<string, unknown> = { ...DEFAULT_PGO_POLICY, name };
  for (const [key, value] of Object.entries(objectOf(where, plain))) {
    const known = WRITTEN.get(key);
    if (known === undefined) throw unknownKey(where, key, [...WRITTEN.keys()]);
    const read = KEYS[known].read(value);
    if (read === undefined) throw badValue(where, key, value, KEYS[known].allowed);
    policy[known] = read;
  }
  checkPgoPolicy(policy as unknown as PgoPolicy, limits);
  return policy as unknown as PgoPolicy;
}

/** All of it, defaults too, but for its name: what readPgoPolicy() reads. */
export function writePgoPolicy(policy: PgoPolicy): Plain {
  const write = <Name extends keyof typeof KEYS>(name: Name) =>
    (KEYS[name] as Key<PgoPolicy[Name]>).write(policy[name]);
  return Object.fromEntries([...WRITTEN].map(([key, name]) => [key, write(name)]));
}

function readRule(plain: unknown): PruneRule {
  const { drop, keep, ...others } = objectOf("prune", plain);
  for (const key of Object.keys(others)) throw unknownKey("prune", key, ["drop", "keep"]);
  if (typeof drop !== "string") throw badValue("prune", "drop", drop, "a text: keep alone drops nothing");
  if (keep !== undefined && typeof keep !== "string") throw badValue("prune", "keep", keep, "a text");
  return { drop, ...(keep !== undefined && keep !== "" && { keep }) };
}

function readThreshold(plain: unknown): PgoThreshold {
  const { finding, usable_from: usableFrom, good_from: goodFrom, ...others } = objectOf("thresholds", plain);
  for (const key of Object.keys(others)) throw unknownKey("thresholds", key, ["finding", "usable_from", "good_from"]);
  if (typeof finding !== "string") throw badValue("thresholds", "finding", finding, "a text");
  for (const [key, bound] of Object.entries({ usable_from: usableFrom, good_from: goodFrom })) {
    if (bound !== undefined && typeof bound !== "number") throw badValue("thresholds", key, bound, "a number");
  }
  const bounds = { usableFrom: usableFrom as number | undefined, goodFrom: goodFrom as number | undefined };
  return {
    finding,
    ...(usableFrom !== undefined && { usableFrom: bounds.usableFrom! }),
    ...(goodFrom !== undefined && { goodFrom: bounds.goodFrom! }),
  };
}

function objectOf(where: string, plain: unknown): Plain {
  if (typeof plain === "object" && plain !== null && !Array.isArray(plain)) return plain as Plain;
  throw new DomainError(
    "invalid",
    `Cannot read ${where}: it is ${quote(JSON.stringify(plain) ?? "nothing")}, and keys with values are expected`,
  );
}

function unknownKey(where: string, key: string, known: readonly string[]): DomainError {
  return new DomainError("invalid", `Cannot read ${where}: there is no ${quote(key)}${didYouMean(key, known)}`);
}

function badValue(where: string, key: string, value: unknown, allowed: string): DomainError {
  return new DomainError(
    "invalid",
    `Cannot read ${where}: ${key} is ${JSON.stringify(value) ?? "missing"}, and it is ${allowed}`,
  );
}

function same<Value>(value: Value): Value {
  return value;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, "_$&").toLowerCase();
}
