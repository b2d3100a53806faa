// The policies of services: those that were set over the API, then those of the server's configuration, then what is always there.

import { DomainError } from "../../model/errors.ts";
import { checkService } from "../../model/labels.ts";
import type { Limits } from "../../model/limits.ts";
import {
  checkPgoName,
  checkPgoPolicy,
  DEFAULT_PGO_POLICY,
  type PgoPolicy,
  PLAIN_PGO_POLICY,
} from "../../model/pgo-policy.ts";
import { readPgoPolicy, writePgoPolicy } from "../../model/pgo-policy-text.ts";
import { compareUtf8, quote } from "../../model/text.ts";
import type { Catalog } from "../../storage/catalog.ts";
import type { StoredPolicy } from "../../storage/pgo-catalog.ts";

/** Policies of services by the configuration; those of "*" are every service's. */
export type ConfiguredPolicies = ReadonlyMap<string, readonly PgoPolicy[]>;

export interface FoundPolicy {
  policy: PgoPolicy;
  /** Where it was set over the API. */
  version?: number;
}

export interface Policies {
  /** Throws `not-found`. */
  get(service: string, name: string): Promise<FoundPolicy>;
  /** By name. */
  list(service: string): Promise<PgoPolicy[]>;
  /** The services that have a policy of this name: each of them, or every service, by the configuration. */
  having(name: string): Promise<ReadonlySet<string> | "every">;
  /** Throws `invalid`, `conflict` where there are too many, `stale`. */
  put(service: string, policy: PgoPolicy, expectedVersion: number | undefined): Promise<FoundPolicy>;
  /** Throws `not-found`, `stale`. */
  remove(service: string, name: string, expectedVersion: number | undefined): Promise<void>;
}

const EVERY_SERVICE = "*";

export function createPolicies(
  catalog: Catalog,
  limits: Limits,
  configured: () => ConfiguredPolicies = () => new Map(),
): Policies {
  const { pgo } = catalog;
  const read = ({ name, policy }: StoredPolicy) =>
    readPgoPolicy(`policy ${quote(name)}`, name, JSON.parse(policy), limits);

  /** What a service has that was told nothing over the API. */
  function given(service: string): Map<string, PgoPolicy> {
    const all = configured();
    const own = [DEFAULT_PGO_POLICY, ...(all.get(EVERY_SERVICE) ?? []), ...(all.get(service) ?? []), PLAIN_PGO_POLICY];
    return new Map(own.map((policy) => [policy.name, policy]));
  }

  return {
    async get(service, name) {
      checkService(service, limits);
      const stored = name === PLAIN_PGO_POLICY.name ? undefined : await pgo.policy(service, name);
      if (stored) return { policy: read(stored), version: stored.version };
      const policy = given(service).get(name);
      if (policy) return { policy };
      throw new DomainError(
        "not-found",
        `Service ${quote(service)} has no policy ${quote(name)}; it has ${(await this.list(service)).map((each) => each.name).join(", ")}`,
      );
    },
    async list(service) {
      checkService(service, limits);
      const all = given(service);
      for (const stored of await pgo.policies(service)) all.set(stored.name, read(stored));
      return [...all.values()].sort((a, b) => compareUtf8(a.name, b.name));
    },
    async having(name) {
      const all = [...configured()].filter(([, policies]) => policies.some((policy) => policy.name === name));
      if (all.some(([service]) => service === EVERY_SERVICE)) return "every";
      return new Set([...all.map(([service]) => service), ...(await pgo.servicesWithPolicy(name))]);
    },
    async put(service, policy, expectedVersion) {
      checkService(service, limits);
      checkPgoPolicy(policy, limits);
      if (service === EVERY_SERVICE) {
        throw new DomainError(
          "invalid",
          'Cannot set a policy of "*": policies of all services are in the configuration',
        );
      }
      const { name } = policy;
      if (name === PLAIN_PGO_POLICY.name) {
        throw new DomainError("invalid", "Cannot set policy plain: it is every profile as it is; choose another name");
      }
      const others = (await pgo.policies(service)).filter((stored) => stored.name !== name);
      if (others.length >= limits.pgoPoliciesPerService) {
        throw new DomainError(
          "conflict",
          `Cannot set policy ${quote(name)} of ${quote(service)}: it has ${others.length}, and ${limits.pgoPoliciesPerService} are allowed; delete one`,
        );
      }
      const text = JSON.stringify(writePgoPolicy(policy));
      const stored = await pgo.putPolicy({ service, name, policy: text, expectedVersion });
      return { policy: read(stored), version: stored.version };
    },
    async remove(service, name, expectedVersion) {
      checkPgoName("policy", name);
      if (await pgo.removePolicy({ service, name, expectedVersion })) return;
      throw new DomainError("not-found", `Service ${quote(service)} has no policy ${quote(name)} that was set`);
    },
  };
}
