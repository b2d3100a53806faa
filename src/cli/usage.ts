// `profusion usage`: what each service and type of profile takes, the largest first.

import type { Command } from "commander";
import type { GetUsageResponse, Usage } from "../../gen/profusion/v1/admin_service_pb.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { type Connection, connect } from "./connection.ts";
import { addExample } from "./example.ts";
import { formatLocalClock, zoneName } from "./local-time.ts";
import { addOutputOptions, answerExactly, answerJson, note, type OutputOptions } from "./output.ts";
import { sizeText } from "./size-text.ts";
import { type Column, createTable } from "./table.ts";
import { timeNsOf } from "./timestamp.ts";

interface UsageOptions extends ClientOptions, OutputOptions {
  prefix?: string;
}

/** The most that the server gives at once. */
const PAGE_MAX = 1000;

export function addUsage(program: Command): void {
  const command = program
    .command("usage")
    .description("tell what each service and type takes on the server's disk, the largest first")
    .option("--prefix <text>", "only services whose names begin so")
    .action(usage);
  addClientOptions(command);
  addOutputOptions(command, "only services and types, one a line");
  addExample(command, "profusion usage", "profusion usage --prefix payments- --json");
}

async function usage(options: UsageOptions): Promise<void> {
  const connection = await connect(options);
  const answered = await ask(connection, options.prefix ?? "");
  if (options.json) return answerJson(connection.json(answered));
  const { usages, total } = answered;
  if (options.quiet) return answerExactly(usages.map(({ service, profileType }) => `${service} ${profileType}`));
  if (usages.length === 0 || total === undefined) return note("there are no profiles", options);
  createTable(usageColumns()).print([...usages, { ...total, service: "total" }]);
}

/** One answer of all pages, the largest first. */
async function ask({ admin }: Connection, prefix: string): Promise<GetUsageResponse> {
  const first = await admin.getUsage({ prefix, pageSize: PAGE_MAX });
  const { usages } = first;
  for (let pageToken = first.nextPageToken; pageToken !== ""; ) {
    const page = await admin.getUsage({ prefix, pageSize: PAGE_MAX, pageToken });
    usages.push(...page.usages);
    pageToken = page.nextPageToken;
  }
  return { ...first, usages: usages.sort((a, b) => Number(storedBytes(b) - storedBytes(a))), nextPageToken: "" };
}

function storedBytes({ originalBytes, packBytes }: Usage): bigint {
  return originalBytes + packBytes;
}

function usageColumns(): Column<Usage>[] {
  const time = (at: Usage["firstStartTime"]) => (at ? formatLocalClock(timeNsOf(at)) : "");
  return [
    { heading: "SERVICE", cell: ({ service }) => service },
    { heading: "TYPE", cell: ({ profileType }) => profileType },
    { heading: "PROFILES", align: "right", cell: ({ profileCount }) => String(profileCount) },
    { heading: "PACKED", align: "right", cell: ({ packedProfileCount }) => String(packedProfileCount) },
    { heading: "SERIES", align: "right", cell: ({ seriesCount }) => String(seriesCount) },
    { heading: "SENT", align: "right", cell: ({ sentBytes }) => sizeText(sentBytes) },
    { heading: "STORED", align: "right", cell: (row) => sizeText(storedBytes(row)) },
    { heading: `OLDEST (${zoneName()})`, cell: ({ firstStartTime }) => time(firstStartTime) },
    { heading: "NEWEST", cell: ({ lastStartTime }) => time(lastStartTime) },
  ];
}
