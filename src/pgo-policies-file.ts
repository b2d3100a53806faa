// The file of PGO policies that a server is started with: of each service, by name, and of "*" for all. How one policy is written is
// src/model/pgo-policy-text.ts's.

import { readFile } from "node:fs/promises";
import { parse, YAMLParseError } from "yaml";
import { DomainError } from "./model/errors.ts";
import type { Limits } from "./model/limits.ts";
import { type PgoPolicy, PLAIN_PGO_POLICY } from "./model/pgo-policy.ts";
import { readPgoPolicy } from "./model/pgo-policy-text.ts";
import { quote } from "./model/text.ts";
import type { ConfiguredPolicies } from "./repository/pgo/policies.ts";
import { placedYamlFault } from "./yaml-fault.ts";

const FILE_BYTES_MAX = 1024 * 1024;

/** Throws `invalid`, naming the file, the policy and what is wrong. */
export async function readPgoPolicies(path: string, limits: Limits): Promise<ConfiguredPolicies> {
  const services = sectionsOf(path, await readYaml(path));
  return new Map(
    services.map(([service, policies]) => [
      service,
      sectionsOf(`${path}: ${service}`, policies).map(([name, plain]) => readOne(path, service, name, plain, limits)),
    ]),
  );
}

function readOne(path: string, service: string, name: string, plain: unknown, limits: Limits): PgoPolicy {
  const where = `${path}: ${service}: ${name}`;
  if (name === PLAIN_PGO_POLICY.name) {
    throw new DomainError("invalid", `Cannot read ${where}: plain is every profile as it is; choose another name`);
  }
  return readPgoPolicy(where, name, plain, limits);
}

async function readYaml(path: string): Promise<unknown> {
  const refuse = (reason: string, cause?: unknown) =>
    new DomainError("invalid", `Cannot read the PGO policies in ${path}: ${reason}`, { cause });
  try {
    const bytes = await readFile(path);
    if (bytes.length > FILE_BYTES_MAX) {
      throw refuse(`it has ${bytes.length} bytes, at most ${FILE_BYTES_MAX} are allowed`);
    }
    return parse(bytes.toString("utf8"), { maxAliasCount: 0 });
  } catch (error) {
    if (error instanceof YAMLParseError) throw refuse(placedYamlFault(error), error);
    if (error instanceof ReferenceError) throw refuse("it has aliases, which are not followed", error);
    if (error instanceof Error && "syscall" in error) throw refuse(error.message, error);
    throw error;
  }
}

/** An empty file has none. */
function sectionsOf(where: string, plain: unknown): [name: string, content: unknown][] {
  if (plain === null || plain === undefined) return [];
  if (typeof plain === "object" && !Array.isArray(plain)) return Object.entries(plain);
  throw new DomainError(
    "invalid",
    `Cannot read ${where}: it is ${quote(String(plain))}, and names with policies are expected`,
  );
}
