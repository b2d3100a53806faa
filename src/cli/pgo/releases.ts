// `profusion pgo publish`, `releases` and `channel`: what was published, and what points at it.

import type { Channel, Release } from "../../../gen/profusion/v1/pgo_service_pb.ts";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import type { ClientOptions } from "../client-options.ts";
import { type Connection, connect } from "../connection.ts";
import { formatLocalClock, formatLocalTime, zoneName } from "../local-time.ts";
import { answer, answerExactly, answerJson, answerJsonPages, note, type OutputOptions } from "../output.ts";
import { sizeText } from "../size-text.ts";
import { type Column, createTable } from "../table.ts";
import { timeNsOf } from "../timestamp.ts";
import { type QuestionOptions, questionOf, type Required } from "./question.ts";
import { parseReleaseName } from "./release-name.ts";
import { requiredVerdict, verdictWord } from "./verdict-word.ts";

interface PublishOptions extends ClientOptions, QuestionOptions, OutputOptions {
  name?: string;
  channel?: string[];
  require?: Required;
}

interface ReleasesOptions extends ClientOptions, OutputOptions {
  service: string;
}

/** The most that the server gives at once. */
const PAGE_MAX = 1000;

export async function publish(options: PublishOptions): Promise<void> {
  const { name = "", channel: channels = [], require } = options;
  const question = questionOf(options);
  const connection = await connect(options);
  const answered = await connection.pgo.publishRelease({ question, name, channels, require: requiredVerdict(require) });
  const { release, alreadyExisted } = answered;
  if (options.json) return answerJson(connection.json(answered));
  if (release === undefined) throw new DomainError("unavailable", `${connection.server} answered without a release`);
  if (options.quiet) return answerExactly([release.name]);
  const { service, verdict, sizeBytes } = release;
  const pointed = channels.length === 0 ? "" : `; ${channels.join(", ")} points at it`;
  const state = alreadyExisted ? "was there already" : "is published";
  answer(`${service}@${release.name} ${state}: ${verdictWord(verdict)}, ${sizeText(sizeBytes)}${pointed}`);
}

export async function listReleases(options: ReleasesOptions): Promise<void> {
  const connection = await connect(options);
  const pages = pagesOf(connection, options.service);
  if (options.json) return await answerJsonPages("releases", jsonPages(connection, pages));
  const table = createTable(releaseColumns());
  let found = 0;
  for await (const releases of pages) {
    found += releases.length;
    if (options.quiet) answerExactly(releases.map(({ name }) => name));
    else if (releases.length > 0) table.print(releases);
  }
  if (found === 0) note(`nothing was published of ${quote(options.service)}`, options);
}

async function* pagesOf({ pgo }: Connection, service: string): AsyncGenerator<Release[]> {
  let pageToken = "";
  do {
    const page = await pgo.listReleases({ service, pageSize: PAGE_MAX, pageToken });
    pageToken = page.nextPageToken;
    yield page.releases;
  } while (pageToken !== "");
}

async function* jsonPages(connection: Connection, pages: AsyncIterable<Release[]>) {
  for await (const releases of pages) yield { elements: releases.map(connection.json), more: false };
}

function releaseColumns(): Column<Release>[] {
  return [
    { heading: "RELEASE", cell: ({ name }) => name },
    { heading: "CHANNELS", cell: ({ channels }) => channels.join(", ") },
    { heading: "VERDICT", cell: ({ verdict }) => verdictWord(verdict) },
    { heading: "SIZE", align: "right", cell: ({ sizeBytes }) => sizeText(sizeBytes) },
    {
      heading: `PUBLISHED (${zoneName()})`,
      cell: ({ createTime }) => (createTime ? formatLocalClock(timeNsOf(createTime)) : ""),
    },
    { heading: "SHA-256", cell: ({ digest }) => Buffer.from(digest).toString("hex").slice(0, 12) },
  ];
}

/** Without a release: where the channel points, and pointed before. */
export async function channel(
  written: string,
  release: string | undefined,
  options: ClientOptions & OutputOptions,
): Promise<void> {
  const { service, release: name } = parseReleaseName(written);
  const connection = await connect(options);
  const found =
    release === undefined
      ? await channelNamed(connection, service, name)
      : (await connection.pgo.moveChannel({ service, channel: name, release })).channel;
  if (found === undefined) throw new DomainError("unavailable", `${connection.server} answered without a channel`);
  if (options.json) return answerJson(connection.json(found));
  if (options.quiet) return answerExactly([found.release]);
  answer(`${written} points at ${found.release}${sinceText(found)}`);
  if (release === undefined) for (const move of found.history) answer(`  before: ${move.release}${sinceText(move)}`);
}

function sinceText({ moveTime }: Pick<Channel, "moveTime">): string {
  return moveTime ? `, since ${formatLocalTime(timeNsOf(moveTime))}` : "";
}

async function channelNamed({ pgo }: Connection, service: string, name: string): Promise<Channel> {
  const { channels } = await pgo.listChannels({ service });
  const found = channels.find((each) => each.name === name);
  if (found !== undefined) return found;
  const known = channels.map((each) => each.name).join(", ") || "none";
  throw new DomainError("not-found", `Service ${quote(service)} has no channel ${quote(name)}: it has ${known}`);
}
