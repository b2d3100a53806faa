// `profusion services`, `types` and `labels`: the names there are, and how many profiles have each.

import type { Command } from "commander";
import type { NameCount } from "../../gen/profusion/v1/query_service_pb.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { type Connection, connect } from "./connection.ts";
import { addExample } from "./example.ts";
import { addOutputOptions, answerExactly, answerJsonPages, note, type OutputOptions } from "./output.ts";
import {
  type AskedInterval,
  addWindowOptions,
  checkSelector,
  intervalOf,
  type WindowOptions,
  windowOf,
} from "./selection-options.ts";
import { createTable } from "./table.ts";

export interface NamesOptions extends ClientOptions, OutputOptions, WindowOptions {
  of?: string;
  prefix?: string;
}

export interface NamesRequest {
  selector: string;
  interval?: AskedInterval;
  prefix: string;
  pageSize: number;
  pageToken: string;
}

interface NamesPage {
  names: NameCount[];
  nextPageToken: string;
}

export type ListNames = (connection: Connection, request: NamesRequest) => Promise<NamesPage>;

/** The most that the server gives at once. */
const PAGE_MAX = 1000;

export const listServices: ListNames = async ({ query }, request) => {
  const { services, nextPageToken } = await query.listServices(request);
  return { names: services, nextPageToken };
};

export const listTypes: ListNames = async ({ query }, request) => {
  const { profileTypes, nextPageToken } = await query.listProfileTypes(request);
  return { names: profileTypes, nextPageToken };
};

export const listLabelNames: ListNames = async ({ query }, request) => {
  const { labelNames, nextPageToken } = await query.listLabelNames(request);
  return { names: labelNames, nextPageToken };
};

export function listValuesOf(labelName: string): ListNames {
  return async ({ query }, request) => {
    const { labelValues, nextPageToken } = await query.listLabelValues({ ...request, labelName });
    return { names: labelValues, nextPageToken };
  };
}

export function addNames(program: Command): void {
  const services = program
    .command("services")
    .description("list the services that have profiles")
    .action((options: NamesOptions) => tell("services", listServices, options));
  addExample(addOptions(services), "profusion services --last 7d");
  const types = program
    .command("types")
    .description("list the types of profiles there are")
    .action((options: NamesOptions) => tell("profileTypes", listTypes, options));
  addExample(addOptions(types), `profusion types --of '{service="auth"}'`);
  const labels = program
    .command("labels")
    .description("list the names of labels, or the values of one")
    .argument("[label]", "a label; its values are listed")
    .action((name: string | undefined, options: NamesOptions) =>
      name === undefined
        ? tell("labelNames", listLabelNames, options)
        : tell("labelValues", listValuesOf(name), options),
    );
  addExample(addOptions(labels), "profusion labels", `profusion labels version --of 'cpu{service="auth"}' --last 1d`);
}

function addOptions(command: Command): Command {
  command
    .option("--of <selector>", `only what these profiles have, such as 'cpu{service="auth"}'`)
    .option("--prefix <text>", "only names that begin so");
  return addOutputOptions(addClientOptions(addWindowOptions(command)), "only the names, one a line");
}

export async function tell(word: string, list: ListNames, options: NamesOptions): Promise<void> {
  const selector = options.of === undefined ? "" : checkSelector(options.of);
  const window = windowOf(options);
  const connection = await connect(options);
  const asked = { selector, prefix: options.prefix ?? "", ...(window && { interval: intervalOf(window) }) };
  const pages = pagesOf(list, connection, asked);
  if (options.json) return await answerJsonPages(word, jsonPages(connection, pages));
  const table = createTable<NameCount>([
    { heading: "NAME", cell: ({ name }) => name },
    { heading: "PROFILES", align: "right", cell: ({ profileCount }) => String(profileCount) },
  ]);
  let found = 0;
  for await (const names of pages) {
    found += names.length;
    if (options.quiet) answerExactly(names.map(({ name }) => name));
    else if (names.length > 0) table.print(names);
  }
  if (found === 0) note("there are none", options);
}

async function* pagesOf(
  list: ListNames,
  connection: Connection,
  asked: Omit<NamesRequest, "pageSize" | "pageToken">,
): AsyncGenerator<NameCount[]> {
  let pageToken = "";
  do {
    const page = await list(connection, { ...asked, pageSize: PAGE_MAX, pageToken });
    pageToken = page.nextPageToken;
    yield page.names;
  } while (pageToken !== "");
}

async function* jsonPages(connection: Connection, pages: AsyncIterable<NameCount[]>) {
  for await (const names of pages) yield { elements: names.map(connection.json), more: false };
}
