// The catalog's contract about PGO profiles: policies, releases, channels. A release's bytes are objects of the blob store, and outlive the
// profiles that they were made of; what a policy says and how a release is made is not known here.

import { DomainError } from "../model/errors.ts";
import type { PgoVerdict } from "../model/pgo-policy.ts";
import { quote } from "../model/text.ts";

export interface StoredPolicy {
  readonly name: string;
  /** JSON, as it was put. */
  readonly policy: string;
  /** Another one after each put, and never one that was there before. */
  readonly version: number;
}

export interface PolicyPut {
  service: string;
  name: string;
  policy: string;
  /** Only where this is its version; 0: only where there is none. Default: whatever there is. */
  expectedVersion?: number | undefined;
}

export interface StoredRelease {
  readonly service: string;
  readonly name: string;
  readonly createdNs: bigint;
  /** SHA-256 of the profile, uncompressed. */
  readonly digest: Uint8Array;
  /** Of the profile as it is stored, gzipped. */
  readonly sizeBytes: number;
  /** SHA-256 of these bytes. */
  readonly storedDigest: Uint8Array;
  /** SHA-256 of what the manifest says of its inputs. */
  readonly inputsDigest: Uint8Array;
  /** SHA-256 of the manifest as it is stored, gzipped. */
  readonly manifestDigest: Uint8Array;
  readonly verdict: PgoVerdict;
  /** Names its objects: src/storage/release-object.ts. */
  readonly objectId: string;
}

export interface ReleaseOutcome {
  release: StoredRelease;
  /** True: `release` is the one that was there, and the new one is unfinished. */
  alreadyExisted: boolean;
}

export interface AllReleases {
  /** Of all services. */
  releases: StoredRelease[];
  /** Object ids that were begun and have no release. Objects of neither were made by a later catalog than this. */
  unfinished: string[];
}

export interface ReleasesQuery {
  service: string;
  /** Exclusive: only those behind this one, the newest being first. */
  after?: { createdNs: bigint; name: string } | undefined;
  limit: number;
}

export interface ChannelMove {
  readonly release: string;
  readonly movedNs: bigint;
}

/** Where a channel points. A name is a channel or a release of its service, never both. */
export interface Channel extends ChannelMove {
  readonly name: string;
  /** Counts its moves. */
  readonly version: number;
  /** Where it pointed before, the latest first, at most CHANNEL_HISTORY. */
  readonly history: readonly ChannelMove[];
}

export interface ChannelChange {
  service: string;
  channel: string;
  release: string;
  movedNs: bigint;
  /** Only where this is its version; 0: only where there is none. Default: whatever there is. */
  expectedVersion?: number | undefined;
  /** A service has no more channels. */
  mostChannels: number;
}

export const CHANNEL_HISTORY = 100;

/** A service may have all of these without a single profile, and keeps them when its profiles go. */
export interface PgoCatalog {
  /** By name. */
  policies(service: string): Promise<StoredPolicy[]>;
  policy(service: string, name: string): Promise<StoredPolicy | undefined>;
  /** Those that have a policy of this name, by name. */
  servicesWithPolicy(name: string): Promise<string[]>;
  /** Throws `stale`. */
  putPolicy(put: PolicyPut): Promise<StoredPolicy>;
  /** Answers whether it was there. Throws `stale`. */
  removePolicy(policy: { service: string; name: string; expectedVersion?: number | undefined }): Promise<boolean>;

  /** Call it before the objects of a release are put. It is unfinished until a release names them. */
  beginRelease(objectId: string): Promise<void>;
  /**
   * Durable when it resolves. A release of the same name, profile and inputs is answered as it is there; throws `conflict` where the name has
   * others, or is a channel's.
   */
  insertRelease(release: StoredRelease): Promise<ReleaseOutcome>;
  /** By its name, or by that of a channel. */
  release(service: string, name: string): Promise<StoredRelease | undefined>;
  /** Newest first, of the same moment by name downwards. Keyset: nothing repeats. */
  releases(query: ReleasesQuery): Promise<StoredRelease[]>;
  allReleases(): Promise<AllReleases>;
  /** Unfinished ones whose objects are gone. */
  forgetReleases(objectIds: readonly string[]): Promise<void>;

  /** By name. */
  channels(service: string): Promise<Channel[]>;
  /**
   * Makes the channel where it is not there. Pointing it where it points already changes nothing. Throws `stale`, `not-found` where there is
   * no such release, `conflict` where the name is a release's or there are too many.
   */
  moveChannel(change: ChannelChange): Promise<Channel>;
}

/** Throws `stale`. `version` is 0 where there is none. */
export function checkVersion(what: string, version: number, expected: number | undefined): void {
  if (expected === undefined || expected === version) return;
  const found = version === 0 ? "it is not there" : "it was changed since its etag was given";
  throw new DomainError("stale", `Cannot change ${what}: ${found}; read it again and decide anew`);
}

type Content = Pick<StoredRelease, "digest" | "inputsDigest">;

/** Whether publishing the one where the other is changes nothing. */
export function isSameRelease(a: Content, b: Content): boolean {
  return Buffer.compare(a.digest, b.digest) === 0 && Buffer.compare(a.inputsDigest, b.inputsDigest) === 0;
}

export function releaseIsOther({ service, name }: Pick<StoredRelease, "service" | "name">): DomainError {
  return new DomainError(
    "conflict",
    `Cannot publish release ${quote(name)} of ${quote(service)}: there is one of this name with other content, and a release never changes; choose another name`,
  );
}

export function nameIsChannel({ service, name }: Pick<StoredRelease, "service" | "name">): DomainError {
  return new DomainError(
    "conflict",
    `Cannot publish release ${quote(name)} of ${quote(service)}: the name is a channel's; choose another name`,
  );
}

export function nameIsRelease({ service, channel }: Pick<ChannelChange, "service" | "channel">): DomainError {
  return new DomainError(
    "conflict",
    `Cannot make channel ${quote(channel)} of ${quote(service)}: the name is a release's; choose another name`,
  );
}

export function absentRelease(service: string, name: string): DomainError {
  return new DomainError("not-found", `There is no release ${quote(name)} of ${quote(service)}`);
}

export function tooManyChannels({
  service,
  channel,
  mostChannels,
}: Pick<ChannelChange, "service" | "channel" | "mostChannels">): DomainError {
  return new DomainError(
    "conflict",
    `Cannot make channel ${quote(channel)} of ${quote(service)}: there are ${mostChannels} channels, as many as a service may have; move one of them`,
  );
}
