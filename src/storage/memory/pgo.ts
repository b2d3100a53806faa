// Policies, releases and channels as plain data: the definition of every answer.

import { compareUtf8, quote } from "../../model/text.ts";
import {
  type AllReleases,
  absentRelease,
  CHANNEL_HISTORY,
  type Channel,
  type ChannelChange,
  type ChannelMove,
  checkVersion,
  isSameRelease,
  nameIsChannel,
  nameIsRelease,
  type PgoCatalog,
  type PolicyPut,
  type ReleaseOutcome,
  type ReleasesQuery,
  releaseIsOther,
  type StoredPolicy,
  type StoredRelease,
  tooManyChannels,
} from "../pgo-catalog.ts";

type Owned<Item> = Item & { service: string };

export class MemoryPgo implements PgoCatalog {
  #policies: Owned<StoredPolicy>[] = [];
  #releases: StoredRelease[] = [];
  /** In the order of their moves. */
  #moves: Owned<ChannelMove & { channel: string }>[] = [];
  readonly #unfinished = new Set<string>();
  #policyVersion = 0;

  async policies(service: string): Promise<StoredPolicy[]> {
    return this.#policiesOf(service);
  }

  async policy(service: string, name: string): Promise<StoredPolicy | undefined> {
    return this.#policiesOf(service).find((policy) => policy.name === name);
  }

  async servicesWithPolicy(name: string): Promise<string[]> {
    const services = this.#policies.filter((policy) => policy.name === name).map(({ service }) => service);
    return services.sort(compareUtf8);
  }

  async putPolicy({ service, name, policy, expectedVersion }: PolicyPut): Promise<StoredPolicy> {
    this.#removePolicy(service, name, expectedVersion);
    const stored = { name, policy, version: ++this.#policyVersion };
    this.#policies.push({ service, ...stored });
    return stored;
  }

  async removePolicy({ service, name, expectedVersion }: Omit<PolicyPut, "policy">): Promise<boolean> {
    return this.#removePolicy(service, name, expectedVersion);
  }

  #removePolicy(service: string, name: string, expectedVersion: number | undefined): boolean {
    const known = this.#policiesOf(service).find((policy) => policy.name === name);
    checkVersion(`policy ${quote(name)}`, known?.version ?? 0, expectedVersion);
    this.#policies = this.#policies.filter((policy) => policy.version !== known?.version);
    return known !== undefined;
  }

  #policiesOf(service: string): StoredPolicy[] {
    const own = this.#policies.filter((policy) => policy.service === service).sort(byName);
    return own.map(({ service: _, ...policy }) => policy);
  }

  async beginRelease(objectId: string): Promise<void> {
    this.#unfinished.add(objectId);
  }

  async insertRelease(release: StoredRelease): Promise<ReleaseOutcome> {
    const known = this.#named(release.service, release.name);
    if (known && isSameRelease(known, release)) return { release: known, alreadyExisted: true };
    if (known) throw releaseIsOther(release);
    if (this.#movesOf(release.service, release.name).length > 0) throw nameIsChannel(release);
    this.#releases.push(release);
    this.#unfinished.delete(release.objectId);
    return { release, alreadyExisted: false };
  }

  async release(service: string, name: string): Promise<StoredRelease | undefined> {
    return this.#named(service, this.#movesOf(service, name).at(-1)?.release ?? name);
  }

  async releases({ service, after, limit }: ReleasesQuery): Promise<StoredRelease[]> {
    const own = this.#releases.filter((release) => release.service === service).sort(newestFirst);
    return own.filter((release) => after === undefined || newestFirst(after, release) < 0).slice(0, limit);
  }

  async allReleases(): Promise<AllReleases> {
    return { releases: [...this.#releases], unfinished: [...this.#unfinished] };
  }

  async forgetReleases(objectIds: readonly string[]): Promise<void> {
    for (const objectId of objectIds) this.#unfinished.delete(objectId);
  }

  async channels(service: string): Promise<Channel[]> {
    return this.#channelsOf(service).map((name) => channelOf(name, this.#movesOf(service, name)));
  }

  async moveChannel(change: ChannelChange): Promise<Channel> {
    const { service, channel, release, movedNs, expectedVersion, mostChannels } = change;
    const moves = this.#movesOf(service, channel);
    checkVersion(`channel ${quote(channel)}`, moves.length, expectedVersion);
    if (!this.#named(service, release)) throw absentRelease(service, release);
    if (this.#named(service, channel)) throw nameIsRelease(change);
    if (moves.length === 0 && this.#channelsOf(service).length >= mostChannels) throw tooManyChannels(change);
    if (moves.at(-1)?.release !== release) this.#moves.push({ service, channel, release, movedNs });
    return channelOf(channel, this.#movesOf(service, channel));
  }

  #named(service: string, name: string): StoredRelease | undefined {
    return this.#releases.find((release) => release.service === service && release.name === name);
  }

  #channelsOf(service: string): string[] {
    const own = this.#moves.filter((move) => move.service === service);
    return [...new Set(own.map(({ channel }) => channel))].sort();
  }

  #movesOf(service: string, channel: string): ChannelMove[] {
    return this.#moves
      .filter((move) => move.service === service && move.channel === channel)
      .map(({ release, movedNs }) => ({ release, movedNs }));
  }
}

function channelOf(name: string, moves: readonly ChannelMove[]): Channel {
  const [now, ...before] = moves.toReversed();
  return { name, ...now!, version: moves.length, history: before.slice(0, CHANNEL_HISTORY) };
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function newestFirst(a: { createdNs: bigint; name: string }, b: { createdNs: bigint; name: string }): number {
  if (a.createdNs !== b.createdNs) return a.createdNs > b.createdNs ? -1 : 1;
  return a.name === b.name ? 0 : a.name > b.name ? -1 : 1;
}
