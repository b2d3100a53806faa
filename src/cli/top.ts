// `profusion top`: where the numbers of the profiles that match lie, as a table.

import { type Command, Option } from "commander";
import type { SampleType } from "../../gen/profusion/v1/profile_pb.ts";
import type { ListTopFunctionsResponse, TopFunction } from "../../gen/profusion/v1/query_service_pb.ts";
import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";
import { amountText } from "./amount-text.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { type Connection, connect } from "./connection.ts";
import { addExample } from "./example.ts";
import { askedMerge, whereToLook } from "./fetch-merge.ts";
import { addLimitOptions, type LimitOptions, limitOf } from "./limit-option.ts";
import { addOutputOptions, answerExactly, answerJson, note, type OutputOptions } from "./output.ts";
import { addSelectionOptions, intervalOf, SELECTOR_HELP, type SelectionOptions } from "./selection-options.ts";
import { type Column, createTable } from "./table.ts";
import { tellSummary } from "./tell-summary.ts";
import { harmless } from "./terminal.ts";

export const GROUPINGS = ["function", "line", "file", "package", "label", "service"] as const;
const ORDERS = ["flat", "cum"] as const;
const METHODS = ["sum", "mean", "last", "increase"] as const;

const METHOD_NOTES: Partial<Record<(typeof METHODS)[number], string>> = {
  mean: "the mean over the profiles of each series, added up over the series",
  last: "the last profile of each series, added up over the series",
  increase: "the increase over the window of each series, added up over the series",
};

interface Grouping {
  what: (typeof GROUPINGS)[number];
  labelKey: string;
}

interface TopOptions extends ClientOptions, SelectionOptions, LimitOptions, OutputOptions {
  by: Grouping;
  sort: (typeof ORDERS)[number];
  column?: string;
  aggregation?: (typeof METHODS)[number];
}

/** The most that the server gives at once. */
const PAGE_MAX = 1000;

export function addTop(program: Command): void {
  const command = program
    .command("top")
    .description("rank functions, lines, files, packages, services or label values by what they take")
    .argument("[selector]", SELECTOR_HELP)
    .addOption(
      // The choices are for help and completion.
      new Option("--by <what>", "what the rows are; label=KEY: the values of a sample label")
        .choices(GROUPINGS.map((grouping) => (grouping === "label" ? "label=" : grouping)))
        .argParser(parseGrouping)
        .default({ what: "function", labelKey: "" }, "function"),
    )
    .addOption(new Option("--sort <order>", "by itself, or with all that it calls").choices(ORDERS).default("flat"))
    .option("--column <type>", "such as alloc_space or alloc_space/bytes; default the one that viewers show first")
    .addOption(
      new Option("--aggregation <method>", "how many profiles become one; default by what the column counts").choices(
        METHODS,
      ),
    )
    .action(top);
  addLimitOptions(command, 20, "rows");
  addSelectionOptions(command);
  addClientOptions(command);
  addOutputOptions(command, "only names, one a line");
  addExample(
    command,
    `profusion top 'cpu{service="auth"}' --last 2h`,
    `profusion top 'heap{service="auth"}' --last 1d --by package --sort cum`,
  );
}

function parseGrouping(text: string): Grouping {
  const labelKey = /^label=(.+)$/s.exec(text)?.[1] ?? "";
  const what = GROUPINGS.find((grouping) => grouping === (labelKey === "" ? text : "label"));
  if (what !== undefined && (what !== "label" || labelKey !== "")) return { what, labelKey };
  throw new DomainError(
    "invalid",
    `Cannot rank by ${quote(text)}: it is function, line, file, package, service, or label=KEY`,
  );
}

async function top(typed: string | undefined, options: TopOptions): Promise<void> {
  const { selector, window } = await askedMerge(typed, options);
  const connection = await connect(options);
  const request = {
    selection: { selector, interval: intervalOf(window) },
    ...(await formOf(connection, selector, options)),
  };
  const answered = await ask(connection, request, limitOf(options)).catch(async (error: unknown) => {
    if (!(error instanceof DomainError) || error.kind !== "not-found") throw error;
    const hint = await whereToLook(connection, selector, window);
    throw new DomainError("not-found", `${harmless(selector)}: ${error.message}${hint}`, { cause: error });
  });
  if (options.json) return answerJson(connection.json(answered));
  if (options.quiet) return answerExactly(answered.functions.map(({ name }) => name));
  createTable(topColumns(answered)).print(answered.functions);
  const { functions, totalSize, aggregation, summary } = answered;
  const rest = totalSize - BigInt(functions.length);
  if (rest > 0n) note(`${rest} rows more: --limit or --all shows them`, options);
  const how = METHOD_NOTES[METHODS[aggregation - 1] ?? "sum"];
  if (how) note(how, options);
  if (summary) tellSummary(summary, options);
}

async function formOf(connection: Connection, selector: string, { by, sort, column, aggregation }: TopOptions) {
  const { TopGrouping, TopOrder } = await import("../../gen/profusion/v1/query_service_pb.ts");
  const { AggregationMethod } = await import("../../gen/profusion/v1/profile_pb.ts");
  const upper = <Word extends string>(word: Word) => word.toUpperCase() as Uppercase<Word>;
  return {
    groupBy: TopGrouping[upper(by.what)],
    labelKey: by.labelKey,
    order: TopOrder[upper(sort)],
    ...(aggregation && { aggregation: AggregationMethod[upper(aggregation)] }),
    ...(column !== undefined && { sampleType: await columnNamed(connection, selector, column) }),
  };
}

type TopRequest = Parameters<Connection["query"]["listTopFunctions"]>[0];

/** One answer with the rows of as many pages as `limit` takes. */
async function ask({ query }: Connection, request: TopRequest, limit: number): Promise<ListTopFunctionsResponse> {
  const first = await query.listTopFunctions({ ...request, pageSize: Math.min(limit, PAGE_MAX) });
  const { functions } = first;
  let pageToken = first.nextPageToken;
  while (pageToken !== "" && functions.length < limit) {
    const pageSize = Math.min(limit - functions.length, PAGE_MAX);
    const page = await query.listTopFunctions({ ...request, pageSize, pageToken });
    functions.push(...page.functions);
    pageToken = page.nextPageToken;
  }
  return { ...first, functions, nextPageToken: pageToken };
}

/** A column by its name, whose unit the newest profile tells. Throws `invalid` with the columns there are. */
async function columnNamed(
  { profiles }: Connection,
  selector: string,
  text: string,
): Promise<Pick<SampleType, "type" | "unit">> {
  const [type = "", unit] = text.split("/");
  if (unit !== undefined) return { type, unit };
  const newest = (await profiles.listProfiles({ selector, pageSize: 1 })).profiles[0];
  const columns = newest?.sampleTypes ?? [];
  const found = columns.find((column) => column.type === type);
  if (found) return { type, unit: found.unit };
  const known = columns.map((column) => `${column.type}/${column.unit}`).join(", ") || "no profile that matches";
  throw new DomainError("invalid", `Cannot rank the column ${quote(text)}: there is ${known}`);
}

function topColumns({ functions, summary, total }: ListTopFunctionsResponse): Column<TopFunction>[] {
  const unit = summary?.sampleTypes[0]?.unit ?? "";
  const sums = new Map<TopFunction, bigint>();
  let sum = 0n;
  for (const row of functions) {
    sum += row.flat;
    sums.set(row, sum);
  }
  const share = (of: (row: TopFunction) => number) => (row: TopFunction) => percentText(of(row));
  return [
    { heading: "FLAT", align: "right", cell: ({ flat }) => amountText(flat, unit) },
    { heading: "FLAT%", align: "right", cell: share(({ flatShare }) => flatShare) },
    {
      heading: "SUM%",
      align: "right",
      cell: share((row) => (total === 0n ? 0 : Number(sums.get(row)) / Number(total))),
    },
    { heading: "CUM", align: "right", cell: ({ cum }) => amountText(cum, unit) },
    { heading: "CUM%", align: "right", cell: share(({ cumShare }) => cumShare) },
    { heading: "NAME", cell: ({ name }) => name || "(none)" },
  ];
}

function percentText(share: number): string {
  const percent = share * 100;
  return `${percent === 0 || Math.abs(percent) >= 10 ? percent.toFixed(1) : percent.toPrecision(2)}%`;
}
