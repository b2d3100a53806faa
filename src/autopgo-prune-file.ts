// The file of prune rules that autopgo's worker reads, as it is, and the policies with these rules: they are applied to what is served and
// never to what is kept. Which policy an app is served by is src/compat/autopgo's.

import { readFile } from "node:fs/promises";
import { DomainError } from "./model/errors.ts";
import type { Limits } from "./model/limits.ts";
import { checkPgoPolicy, DEFAULT_PGO_POLICY, type PgoPolicy, type PruneRule } from "./model/pgo-policy.ts";
import { compileUnanchored } from "./model/regexp.ts";
import { quote } from "./model/text.ts";
import type { ConfiguredPolicies } from "./repository/pgo/policies.ts";

/** Of each app, in their order. */
export type AppPruneRules = ReadonlyMap<string, readonly PruneRule[]>;

const FILE_BYTES_MAX = 1024 * 1024;
/** Those by which autopgo's route serves. */
const POLICY_NAMES = ["default", "autopgo"];
const EVERY_SERVICE = "*";

/** `[{"app": "x", "rules": [{"drop": "…", "keep": "…"}]}]`; the first entry of an app counts. Throws `invalid`, naming file, entry and rule. */
export async function readAutopgoPrune(path: string, limits: Limits): Promise<AppPruneRules> {
  const entries = await readJson(path);
  if (!Array.isArray(entries)) throw refusal(path, "it is no list of apps");
  const rulesOf = new Map<string, readonly PruneRule[]>();
  for (const [at, entry] of entries.entries()) {
    const { app = "", rules } = fieldsOf(path, `entry ${at + 1}`, entry);
    if (typeof app !== "string") throw refusal(path, `entry ${at + 1}: app is no text`);
    const place = `entry ${at + 1}, app ${quote(app)}`;
    if (rules !== undefined && !Array.isArray(rules)) throw refusal(path, `${place}: rules is no list`);
    const read = (rules ?? []).map((rule, nth) => readRule(path, `${place}, rule ${nth + 1}`, rule, limits));
    if (!rulesOf.has(app)) rulesOf.set(app, read);
  }
  return rulesOf;
}

/** Each app's rules come behind those that its policy has already. Throws `invalid` where there are too many. */
export function withPruneRules(
  configured: ConfiguredPolicies,
  rulesOf: AppPruneRules,
  limits: Limits,
): ConfiguredPolicies {
  const all = new Map(configured);
  for (const [app, rules] of rulesOf) {
    if (rules.length === 0) continue;
    const own = [...(configured.get(EVERY_SERVICE) ?? []), ...(configured.get(app) ?? [])];
    const named = new Map([DEFAULT_PGO_POLICY, ...own].map((policy) => [policy.name, policy]));
    const pruned = POLICY_NAMES.flatMap((name) => named.get(name) ?? []).map((policy): PgoPolicy => {
      const whole = { ...policy, prune: [...policy.prune, ...rules] };
      checkPgoPolicy(whole, limits);
      return whole;
    });
    all.set(app, [...(configured.get(app) ?? []), ...pruned]);
  }
  return all;
}

function readRule(path: string, place: string, plain: unknown, limits: Limits): PruneRule {
  const { drop, keep } = fieldsOf(path, place, plain);
  // Its worker ends with a fault at such a rule, whenever it merges a profile of the app.
  if (drop === undefined) throw refusal(path, `${place}: there is no drop, and keep alone drops nothing`);
  if (typeof drop !== "string" || drop === "") throw refusal(path, `${place}: drop is no text`);
  if (keep !== undefined && typeof keep !== "string") throw refusal(path, `${place}: keep is no text`);
  try {
    for (const pattern of [drop, keep ?? ""]) compileUnanchored(pattern, limits);
  } catch (error) {
    if (error instanceof DomainError) throw refusal(path, `${place}: ${error.message}`, error);
    throw error;
  }
  return { drop, ...(keep !== undefined && keep !== "" && { keep }) };
}

/** As Go reads JSON: names in any case, null for nothing, and whatever else there is does not count. */
function fieldsOf(path: string, place: string, plain: unknown): Record<string, unknown> {
  if (typeof plain !== "object" || plain === null || Array.isArray(plain)) throw refusal(path, `${place} is no object`);
  const fields = Object.entries(plain).filter(([, value]) => value !== null);
  return Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
}

async function readJson(path: string): Promise<unknown> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > FILE_BYTES_MAX) {
      throw refusal(path, `it has ${bytes.length} bytes, at most ${FILE_BYTES_MAX} are allowed`);
    }
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    const isFault = error instanceof SyntaxError || (error instanceof Error && "syscall" in error);
    throw isFault ? refusal(path, error.message, error) : error;
  }
}

function refusal(path: string, reason: string, cause?: unknown): DomainError {
  return new DomainError("invalid", `Cannot read the prune rules in ${path}: ${reason}`, { cause });
}
