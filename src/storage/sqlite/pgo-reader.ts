// What is asked of the catalog's file about policies, releases and channels. Synchronous: src/storage/sqlite/reader.ts calls it in a thread,
// each method in one snapshot.

import type { AllReleases, Channel, ReleasesQuery, StoredPolicy, StoredRelease } from "../pgo-catalog.ts";
import { readChannel, readChannelNames, readPolicy, readRelease, readReleases } from "./pgo-rows.ts";
import type { Statements } from "./statements.ts";

export class PgoReader {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  policies(service: string): StoredPolicy[] {
    const rows = this.#statements
      .plain("SELECT name, policy, version FROM pgo_policy WHERE service = ? ORDER BY name")
      .all(service) as [string, string, number][];
    return rows.map(([name, policy, version]) => ({ name, policy, version }));
  }

  policy({ service, name }: { service: string; name: string }): StoredPolicy | undefined {
    return readPolicy(this.#statements, service, name);
  }

  servicesWithPolicy(name: string): string[] {
    const rows = this.#statements.plain("SELECT service FROM pgo_policy WHERE name = ? ORDER BY service").all(name) as [
      string,
    ][];
    return rows.map(([service]) => service);
  }

  release({ service, name }: { service: string; name: string }): StoredRelease | undefined {
    const channel = readChannel(this.#statements, service, name);
    return readRelease(this.#statements, service, channel?.release ?? name);
  }

  releases({ service, after, limit }: ReleasesQuery): StoredRelease[] {
    const behind = after ? "AND (created_ns, name) < (@createdNs, @name)" : "";
    const rest = `WHERE service = @service ${behind} ORDER BY created_ns DESC, name DESC LIMIT @limit`;
    return readReleases(this.#statements, rest, { service, limit, ...after });
  }

  allReleases(): AllReleases {
    const unfinished = this.#statements.plain("SELECT object_id FROM release_unfinished").all() as [string][];
    return {
      releases: readReleases(this.#statements, "ORDER BY service, name", {}),
      unfinished: unfinished.map(([objectId]) => objectId),
    };
  }

  channels(service: string): Channel[] {
    return readChannelNames(this.#statements, service).map((name) => readChannel(this.#statements, service, name)!);
  }
}
