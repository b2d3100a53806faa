// Releases: PGO profiles that were published, kept for ever as they are, and the channels that point at them. How a profile is made, and
// whether it is good enough, is decided before.

import { setImmediate } from "node:timers/promises";
import { DomainError } from "../../model/errors.ts";
import { checkService } from "../../model/labels.ts";
import type { Limits } from "../../model/limits.ts";
import {
  formatInput,
  formatManifest,
  joinInputs,
  type ManifestHead,
  type ManifestInput,
  type PgoMaking,
  readManifestHead,
} from "../../model/pgo-manifest.ts";
import { checkPgoName, isAtLeast, type PgoVerdict } from "../../model/pgo-policy.ts";
import { quote } from "../../model/text.ts";
import { formatTime } from "../../model/time.ts";
import type { BlobStore } from "../../storage/blob-store.ts";
import type { Catalog } from "../../storage/catalog.ts";
import {
  absentRelease,
  type Channel,
  isSameRelease,
  nameIsChannel,
  nameIsRelease,
  type ReleasesQuery,
  releaseIsOther,
  type StoredRelease,
  tooManyChannels,
} from "../../storage/pgo-catalog.ts";
import {
  compareReleaseObjects,
  type ReleasesVerified,
  readManifest,
  readProfile,
  sha256,
  verifyReleases,
  writeObjects,
} from "./release-objects.ts";

export interface PublishRequest {
  service: string;
  /** Default: today's date in UTC; where that has other content, `-2` behind it, and so on. */
  name?: string | undefined;
  /** Pointed at it once it is there. */
  channels?: readonly string[];
  profile: {
    /** What clients get, for ever. */
    gzipped: Uint8Array;
    /** SHA-256 of it, uncompressed. */
    digest: Uint8Array;
  };
  verdict: PgoVerdict;
  /** Default: poor, which is anything that is not unusable. */
  require?: PgoVerdict | undefined;
  making: PgoMaking;
  /** In canonical order: (time, id). */
  inputs: readonly ManifestInput[];
}

export interface Release extends StoredRelease {
  /** Those that point at it now, by name. */
  readonly channels: readonly string[];
}

export interface MoveRequest {
  service: string;
  channel: string;
  release: string;
  /** Only where this is its version. */
  expectedVersion?: number | undefined;
}

export interface Releases {
  /**
   * Durable when it resolves. The same profile of the same inputs under the same name is answered as it is there. Throws `conflict` where the
   * name has other content or is a channel's, or the verdict is below what is required; `too-large` where the manifest would be.
   */
  publish(request: PublishRequest): Promise<{ release: Release; alreadyExisted: boolean }>;
  /** By its name, or by that of a channel. Throws `not-found`. */
  get(service: string, name: string): Promise<Release>;
  /** The newest first. */
  list(query: ReleasesQuery): Promise<Release[]>;
  /** Gzipped: the bytes that were published. Throws `unavailable`, naming the damage. */
  profile(release: StoredRelease): Promise<Uint8Array>;
  /** JSON, see docs/formats.md. Throws `unavailable`, naming the damage. */
  manifest(release: StoredRelease): Promise<string>;
  /** What the manifest says of all that is in it. Throws as manifest() does. */
  provenance(release: StoredRelease): Promise<ManifestHead>;
  /** By name. */
  channels(service: string): Promise<Channel[]>;
  /** Throws `not-found` where there is no such release, `stale`, `conflict` where the name is a release's. */
  moveChannel(request: MoveRequest): Promise<Channel>;
  verify(): Promise<ReleasesVerified>;
  /** Resolves when nothing is being published. */
  idle(): Promise<void>;
}

export interface ReleasesOptions {
  catalog: Catalog;
  blobs: BlobStore;
  limits: Limits;
  nowNs: () => bigint;
  /** Told of objects that are absent. */
  reportDamage: (message: string) => void;
  /** Told why what is left of unfinished publishing stays until the next start. */
  reportFailure: (message: string, error: unknown) => void;
}

/** Lines between two turns of the event loop: some 2 ms. */
const LINES_PER_TURN = 1_000;

export function createReleases(options: ReleasesOptions): Releases {
  const { catalog, blobs, limits, nowNs, reportDamage, reportFailure } = options;
  const { pgo } = catalog;
  // One after another: names are chosen, and start-up has looked for objects without a row before the first is written.
  let turn: Promise<unknown> = compareReleaseObjects(options, reportDamage).catch((error) =>
    reportFailure("could not look for what unfinished publishing left", error),
  );

  async function publishInTurn(request: PublishRequest, inputs: string) {
    const { service, profile, verdict, making, channels = [] } = request;
    const content = { digest: profile.digest, inputsDigest: await sha256(Buffer.from(inputs)) };
    const { name, known } = await nameFor(request, content);
    await checkChannels(service, name, channels);
    if (known) return { release: known, alreadyExisted: true };
    blobs.checkSpace();
    const published = { service, name, createdNs: nowNs(), verdict };
    const manifest = formatManifest({ ...published, digest: profile.digest }, making, inputs);
    const objects = await writeObjects(options, profile.gzipped, manifest);
    return pgo.insertRelease({ ...published, ...content, ...objects, sizeBytes: profile.gzipped.length });
  }

  async function nameFor({ service, name: asked }: PublishRequest, content: Content): Promise<Place> {
    const today = formatTime(nowNs()).slice(0, "2026-11-20".length);
    for (let nth = 1; ; nth++) {
      const name = asked ?? (nth === 1 ? today : `${today}-${nth}`);
      const known = await pgo.release(service, name);
      const isChannel = known !== undefined && known.name !== name;
      if (known === undefined || (!isChannel && isSameRelease(known, content))) return { name, known };
      if (asked !== undefined) throw isChannel ? nameIsChannel({ service, name }) : releaseIsOther({ service, name });
    }
  }

  /** Before anything is published: moving them would fail afterwards. */
  async function checkChannels(service: string, name: string, channels: readonly string[]): Promise<void> {
    for (const channel of channels) {
      const known = await pgo.release(service, channel);
      if (channel === name || known?.name === channel) throw nameIsRelease({ service, channel });
    }
    const present = new Set((await pgo.channels(service)).map((each) => each.name));
    const added = channels.find(
      (channel) => !present.has(channel) && present.add(channel).size > limits.releaseChannels,
    );
    if (added !== undefined) throw tooManyChannels({ service, channel: added, mostChannels: limits.releaseChannels });
  }

  function moveChannel({ service, channel, release, expectedVersion }: MoveRequest): Promise<Channel> {
    const mostChannels = limits.releaseChannels;
    return pgo.moveChannel({ service, channel, release, movedNs: nowNs(), expectedVersion, mostChannels });
  }

  async function withChannels(service: string, releases: readonly StoredRelease[]): Promise<Release[]> {
    const channels = releases.length === 0 ? [] : await pgo.channels(service);
    return releases.map((release) => ({
      ...release,
      channels: channels.filter((channel) => channel.release === release.name).map(({ name }) => name),
    }));
  }

  return {
    async publish(request) {
      const { service, name, channels = [], verdict, require = "poor" } = request;
      checkService(service, limits);
      if (!isAtLeast(verdict, require)) {
        throw new DomainError(
          "conflict",
          `Cannot publish a release of ${quote(service)}: its profile is ${verdict}, and at least ${require} is required; the report says why`,
        );
      }
      if (name !== undefined) checkPgoName("release", name);
      for (const channel of channels) checkPgoName("channel", channel);
      const inputs = await inputsText(request, limits.releaseManifestBytes);
      const published = turn.then(() => publishInTurn(request, inputs));
      turn = published.catch(() => {}); // told to who published, below
      const { release, alreadyExisted } = await published;
      for (const channel of channels) await moveChannel({ service, channel, release: release.name });
      return { release: (await withChannels(service, [release]))[0]!, alreadyExisted };
    },
    async get(service, name) {
      const found = await pgo.release(service, name);
      if (found === undefined) throw absentRelease(service, name);
      return (await withChannels(service, [found]))[0]!;
    },
    list: async (query) => withChannels(query.service, await pgo.releases(query)),
    profile: (release) => readProfile(blobs, release),
    manifest: (release) => readManifest(blobs, release),
    provenance: async (release) => readManifestHead(await readManifest(blobs, release)),
    channels: (service) => pgo.channels(service),
    async moveChannel(request) {
      checkPgoName("channel", request.channel);
      return moveChannel(request);
    },
    verify: () => verifyReleases(options),
    async idle() {
      await turn;
    },
  };
}

type Content = Pick<StoredRelease, "digest" | "inputsDigest">;

interface Place {
  name: string;
  /** The release of this name, where it is the one to be published. */
  known: StoredRelease | undefined;
}

/** Of the manifest. Throws `too-large` before it is held in memory. */
async function inputsText({ service, inputs }: PublishRequest, maxBytes: number): Promise<string> {
  const lines: string[] = [];
  let bytes = 0;
  for (const input of inputs) {
    const line = formatInput(input);
    bytes += Buffer.byteLength(line);
    if (bytes > maxBytes) {
      throw new DomainError(
        "too-large",
        `Cannot publish a release of ${quote(service)}: the manifest of ${inputs.length} profiles has more than the ${maxBytes} bytes allowed; choose fewer by a selector, a shorter window or the policy's top_by_cpu`,
        { subject: "result" },
      );
    }
    if (lines.push(line) % LINES_PER_TURN === 0) await setImmediate();
  }
  return joinInputs(lines);
}
