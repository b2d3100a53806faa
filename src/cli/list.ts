// `profusion list`: the profiles that match, page by page as they come.

import type { Command } from "commander";
import type { Profile } from "../../gen/profusion/v1/profile_pb.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { type Connection, connect } from "./connection.ts";
import { addExample } from "./example.ts";
import { whereToLook } from "./fetch-merge.ts";
import { addLimitOptions, type LimitOptions, limitOf } from "./limit-option.ts";
import { formatLocalClock, zoneName } from "./local-time.ts";
import { addOutputOptions, answerExactly, answerJsonPages, note, type OutputOptions } from "./output.ts";
import {
  addSelectionOptions,
  intervalOf,
  SELECTOR_HELP,
  type SelectionOptions,
  selectorText,
  windowOf,
} from "./selection-options.ts";
import { sizeText } from "./size-text.ts";
import { type Column, createTable } from "./table.ts";
import { timeNsOf } from "./timestamp.ts";

interface ListOptions extends ClientOptions, SelectionOptions, OutputOptions, LimitOptions {
  oldest?: true;
}

interface Page {
  profiles: Profile[];
  /** There are profiles beyond it that were not asked for. */
  more: boolean;
}

/** The most that the server gives at once. */
const PAGE_MAX = 1000;

export function addList(program: Command): void {
  const command = program
    .command("list")
    .description("list the profiles that match, newest first")
    .argument("[selector]", SELECTOR_HELP)
    .option("--oldest", "oldest first")
    .action(list);
  addLimitOptions(command, 100, "profiles");
  addSelectionOptions(command);
  addClientOptions(command);
  addOutputOptions(command, "only ids, one a line");
  addExample(
    command,
    `profusion list 'heap{service="auth"}' --from yesterday --limit 20`,
    "profusion list --service auth --type cpu --last 2h --all --json",
  );
}

export async function list(typed: string | undefined, options: ListOptions): Promise<void> {
  const limit = limitOf(options);
  const selector = await selectorText(typed, options);
  const window = windowOf(options);
  const connection = await connect(options);
  const { ProfileOrder } = await import("../../gen/profusion/v1/profile_service_pb.ts");
  const order = options.oldest ? ProfileOrder.OLDEST : ProfileOrder.NEWEST;
  const request = { selector: selector ?? "{}", order, ...(window && { interval: intervalOf(window) }) };
  const pages = pagesOf(connection, request, limit);
  if (options.json) return await answerJsonPages("profiles", jsonPages(connection, pages));
  const table = createTable(profileColumns());
  let found = 0;
  let more = false;
  for await (const page of pages) {
    found += page.profiles.length;
    more = page.more;
    if (options.quiet) answerExactly(page.profiles.map(({ id }) => id));
    else if (found > 0) table.print(page.profiles);
  }
  const hint = found === 0 && window ? await whereToLook(connection, request.selector, window) : "";
  if (found === 0) note(`no profile matches${hint}`, options);
  if (more) note(`there are more than ${found}: --limit or --all shows them`, options);
}

type ListRequest = Parameters<Connection["profiles"]["listProfiles"]>[0];

export async function* pagesOf({ profiles }: Connection, request: ListRequest, limit: number): AsyncGenerator<Page> {
  let left = limit;
  let pageToken = "";
  do {
    const answer = await profiles.listProfiles({ ...request, pageSize: Math.min(left, PAGE_MAX), pageToken });
    pageToken = answer.nextPageToken;
    left -= answer.profiles.length;
    yield { profiles: answer.profiles, more: pageToken !== "" && left <= 0 };
  } while (pageToken !== "" && left > 0);
}

async function* jsonPages(connection: Connection, pages: AsyncIterable<Page>) {
  for await (const { profiles, more } of pages) yield { elements: profiles.map(connection.json), more };
}

export function profileColumns(): Column<Profile>[] {
  return [
    { heading: "ID", cell: ({ id }) => id },
    { heading: "SERVICE", cell: ({ service }) => service },
    { heading: "TYPE", cell: ({ profileType }) => profileType },
    {
      heading: `START (${zoneName()})`,
      cell: ({ startTime }) => (startTime ? formatLocalClock(timeNsOf(startTime)) : ""),
    },
    { heading: "SAMPLES", align: "right", cell: ({ sampleCount }) => String(sampleCount) },
    { heading: "SIZE", align: "right", cell: ({ sizeBytes }) => sizeText(sizeBytes) },
    { heading: "LABELS", cell: labelsText },
  ];
}

export function labelsText({ labels }: Profile): string {
  return labels.map(({ name, value }) => `${name}=${value}`).join(" ");
}
