// Policies, releases and channels, as the catalog's threads keep them.

import type {
  AllReleases,
  Channel,
  ChannelChange,
  PgoCatalog,
  PolicyPut,
  ReleaseOutcome,
  ReleasesQuery,
  StoredPolicy,
  StoredRelease,
} from "../pgo-catalog.ts";
import type { CatalogThreads } from "./catalog-threads.ts";
import type { PgoReader } from "./pgo-reader.ts";
import type { PgoRequest } from "./pgo-rows.ts";
import type { PgoWriter } from "./pgo-writer.ts";

export class SqlitePgo implements PgoCatalog {
  readonly #threads: CatalogThreads;

  constructor(threads: CatalogThreads) {
    this.#threads = threads;
  }

  policies(service: string): Promise<StoredPolicy[]> {
    return this.#read("policies", service);
  }

  policy(service: string, name: string): Promise<StoredPolicy | undefined> {
    return this.#read("policy", { service, name });
  }

  servicesWithPolicy(name: string): Promise<string[]> {
    return this.#read("servicesWithPolicy", name);
  }

  putPolicy(put: PolicyPut): Promise<StoredPolicy> {
    return this.#write("putPolicy", put);
  }

  removePolicy(policy: Omit<PolicyPut, "policy">): Promise<boolean> {
    return this.#write("removePolicy", policy);
  }

  beginRelease(objectId: string): Promise<void> {
    return this.#write("beginRelease", objectId);
  }

  insertRelease(release: StoredRelease): Promise<ReleaseOutcome> {
    return this.#write("insertRelease", release);
  }

  release(service: string, name: string): Promise<StoredRelease | undefined> {
    return this.#read("release", { service, name });
  }

  releases(query: ReleasesQuery): Promise<StoredRelease[]> {
    return this.#read("releases", query);
  }

  allReleases(): Promise<AllReleases> {
    return this.#read("allReleases", undefined);
  }

  forgetReleases(objectIds: readonly string[]): Promise<void> {
    return this.#write("forgetReleases", objectIds);
  }

  channels(service: string): Promise<Channel[]> {
    return this.#read("channels", service);
  }

  moveChannel(change: ChannelChange): Promise<Channel> {
    return this.#write("moveChannel", change);
  }

  #read<Method extends keyof PgoReader>(
    method: Method,
    argument: Parameters<PgoReader[Method]>[0],
  ): Promise<ReturnType<PgoReader[Method]>> {
    const request: PgoRequest<PgoReader> = { method, argument };
    return this.#threads.read("pgo", request);
  }

  async #write<Method extends keyof PgoWriter>(
    method: Method,
    argument: Parameters<PgoWriter[Method]>[0],
  ): Promise<ReturnType<PgoWriter[Method]>> {
    const request: PgoRequest<PgoWriter> = { method, argument };
    const answer = await this.#threads.write<ReturnType<PgoWriter[Method]>>("pgo", request);
    this.#threads.checkpointAfter(1);
    return answer;
  }
}
