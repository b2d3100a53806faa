// PgoService's methods about releases and channels: contract in, one call of the repository, contract out. How a PGO profile is made is the
// caller's.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import * as contract from "../../gen/profusion/v1/pgo_service_pb.ts";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { checkPgoName, type PgoVerdict } from "../model/pgo-policy.ts";
import { quote } from "../model/text.ts";
import type { PublishRequest, Release } from "../repository/pgo/releases.ts";
import type { Repository } from "../repository/repository.ts";
import type { Channel } from "../storage/pgo-catalog.ts";
import { namedValue, pageSizeOf, timestampOf } from "./convert.ts";
import { holdAnswerKey } from "./hold-answer.ts";
import { afterOf, pageToken } from "./page-token.ts";

/** What is published, made as the question says. Throws as PublishRelease does. */
export type MakeRelease = (
  question: contract.PgoQuestion,
  signal: AbortSignal,
) => Promise<Pick<PublishRequest, "service" | "profile" | "verdict" | "making" | "inputs">>;

type Methods = "publishRelease" | "getRelease" | "listReleases" | "listChannels" | "moveChannel";

const CHANNELS_PER_RELEASE = 10;

export function releaseMethods(
  repository: Pick<Repository, "releases">,
  limits: Limits,
  make: MakeRelease,
): Pick<ServiceImpl<typeof contract.PgoService>, Methods> {
  return {
    async publishRelease({ question, name, channels, require }, { signal }) {
      if (question === undefined)
        throw new DomainError("invalid", "Cannot publish nothing in particular: set question");
      if (channels.length > CHANNELS_PER_RELEASE) {
        throw new DomainError(
          "invalid",
          `Cannot point ${channels.length} channels at a release: at most ${CHANNELS_PER_RELEASE} are allowed`,
        );
      }
      // Before anything is made: that may take a minute.
      if (name !== "") checkPgoName("release", name);
      for (const channel of channels) checkPgoName("channel", channel);
      const required = namedValue(REQUIRED, require, "require");
      const made = await make(question, signal);
      const published = await repository.releases.publish({
        ...made,
        name: name || undefined,
        channels,
        require: required,
      });
      return { release: releaseMessage(published.release), alreadyExisted: published.alreadyExisted };
    },

    async getRelease({ service, name, withBytes, withManifest }, { values }) {
      const release = await repository.releases.get(service, name);
      if (withBytes) checkUnary(release, limits);
      const profileBytes = withBytes ? await repository.releases.profile(release) : undefined;
      const manifestJson = withManifest ? await repository.releases.manifest(release) : undefined;
      await values.get(holdAnswerKey)((profileBytes?.length ?? 0) + (manifestJson?.length ?? 0));
      return {
        release: releaseMessage(release),
        ...(profileBytes && { profileBytes }),
        ...(manifestJson !== undefined && { manifestJson }),
      };
    },

    async listReleases({ service, pageSize, pageToken: token }) {
      const identity = ["releases", service];
      const limit = pageSizeOf(pageSize, limits);
      const found = await repository.releases.list({
        service,
        after: placeOf(afterOf(token, identity)),
        limit: limit + 1,
      });
      const page = found.slice(0, limit);
      const last = found.length > limit ? page.at(-1) : undefined;
      return { releases: page.map(releaseMessage), nextPageToken: pageToken(last && placeText(last), identity) };
    },

    async listChannels({ service }) {
      return { channels: (await repository.releases.channels(service)).map(channelMessage) };
    },

    async moveChannel({ service, channel, release, etag }) {
      const expectedVersion = versionOf(etag);
      return {
        channel: channelMessage(await repository.releases.moveChannel({ service, channel, release, expectedVersion })),
      };
    },
  };
}

function checkUnary({ name, sizeBytes }: Release, limits: Limits): void {
  if (sizeBytes <= limits.unaryResultBytes) return;
  throw new DomainError(
    "too-large",
    `Cannot answer the ${sizeBytes} bytes of release ${quote(name)} at once: at most ${limits.unaryResultBytes} are allowed; ask GET /api/0/pgo/<service>?release=<name>`,
    { subject: "result" },
  );
}

/** Where a page ended. */
type Place = Pick<Release, "createdNs" | "name">;

function placeText({ createdNs, name }: Place): string {
  return `${createdNs} ${name}`;
}

function placeOf(text: string | undefined): Place | undefined {
  if (text === undefined) return undefined;
  const [createdNs = "", name = ""] = text.split(" ");
  return { createdNs: BigInt(createdNs), name };
}

/** Undefined for none; -1 for what was never an etag, which is nobody's either. */
export function versionOf(etag: string): number | undefined {
  if (etag === "") return undefined;
  return /^\d{1,15}$/.test(etag) ? Number(etag) : -1;
}

export function releaseMessage(release: Release): MessageInitShape<typeof contract.ReleaseSchema> {
  const { service, name, digest, sizeBytes, createdNs, verdict, channels } = release;
  return {
    service,
    name,
    digest,
    sizeBytes: BigInt(sizeBytes),
    createTime: timestampOf(createdNs),
    verdict: VERDICTS[verdict],
    channels: [...channels],
  };
}

function channelMessage(channel: Channel): MessageInitShape<typeof contract.ChannelSchema> {
  const { name, release, movedNs, version, history } = channel;
  return {
    name,
    release,
    moveTime: timestampOf(movedNs),
    etag: String(version),
    history: history.map((move) => ({ release: move.release, moveTime: timestampOf(move.movedNs) })),
  };
}

export const VERDICTS: Record<PgoVerdict, contract.PgoVerdict> = {
  unusable: contract.PgoVerdict.UNUSABLE,
  poor: contract.PgoVerdict.POOR,
  usable: contract.PgoVerdict.USABLE,
  good: contract.PgoVerdict.GOOD,
};

const REQUIRED = new Map<number, PgoVerdict>([
  [contract.PgoVerdict.UNSPECIFIED, "poor"],
  ...Object.entries(VERDICTS).map(([name, value]) => [value, name as PgoVerdict] as const),
]);
