// `profusion merge`: fetches the merge of a selection into a file or stdout, and tells on stderr what is in it.

import { randomBytes } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { createClient } from "@connectrpc/connect";
import type { Command } from "commander";
import type { MergeSummary } from "../../gen/profusion/v1/profile_pb.ts";
import { QueryService } from "../../gen/profusion/v1/query_service_pb.ts";
import { DomainError } from "../model/errors.ts";
import type { Label } from "../model/labels.ts";
import { formatSelector, selectorOf } from "../model/selector.ts";
import { quote } from "../model/text.ts";
import { exclusiveEnd, type Interval, NS_PER_MS, parseDuration } from "../model/time.ts";
import { connect, describeFailure, SERVER_HELP, SERVER_OPTION } from "./connection.ts";
import { parseLabel } from "./label-option.ts";
import { formatLocalTime, parseLocalTime } from "./local-time.ts";
import { repeated } from "./repeated.ts";
import { timeNsOf, timestampOf } from "./timestamp.ts";

interface MergeOptions {
  server?: string;
  service?: string;
  type?: string;
  label: Label[];
  from?: string;
  to?: string;
  last?: string;
  output?: string;
}

export function addMerge(program: Command): void {
  program
    .command("merge")
    .description("fetch the merge of all profiles that match, as a gzipped pprof profile")
    .argument("[selector]", `such as 'cpu{service="auth",version=~"1[.].*"}'; instead of --service, --type and --label`)
    .option(SERVER_OPTION, SERVER_HELP)
    .option("--service <name>", "what was profiled")
    .option("--type <type>", "cpu, heap, allocs, …")
    .option("--label <name=value>", "a label that the profiles have; may be repeated", repeated(parseLabel), [])
    .option("--from <time>", "start of the window: RFC 3339, unix time, now-1h; local where no zone is written")
    .option("--to <time>", "end of the window; default now")
    .option("--last <duration>", "the window of the last 30m, 1h, 7d")
    .option("-o, --output <file>", "default stdout")
    .action(merge);
}

async function merge(selectorText: string | undefined, options: MergeOptions): Promise<void> {
  const { server, transport } = connect(options.server);
  const empty = options.label.find(({ value }) => value === "");
  if (empty) {
    throw new DomainError(
      "invalid",
      `Cannot merge by the empty label ${quote(empty.name)}: in a selector it also means an absent one; write {${empty.name}=""} if that is meant`,
    );
  }
  const selector = selectorText ?? formatSelector(selectorOf(options.service, options.type, options.label));
  if (selectorText !== undefined && (options.service ?? options.type ?? options.label[0]) !== undefined) {
    throw new DomainError(
      "invalid",
      "Cannot take a selector together with --service, --type or --label: write all in it",
    );
  }
  if (options.output === undefined && process.stdout.isTTY) {
    throw new DomainError("invalid", "Cannot write a profile to a terminal: name a file with -o");
  }
  const { startNs, endNs } = windowOf(options, BigInt(Date.now()) * NS_PER_MS);
  const interval = { startTime: timestampOf(startNs), endTime: timestampOf(endNs) };
  const chunks: Uint8Array[] = [];
  let summary: MergeSummary | undefined;
  try {
    const answer = createClient(QueryService, transport).streamMergedProfile({ selection: { selector, interval } });
    for await (const { part } of answer) {
      if (part.case === "summary") summary = part.value;
      else if (part.case === "chunk") chunks.push(part.value);
    }
  } catch (error) {
    throw new DomainError("unavailable", `${selector}: ${describeFailure(error, server)}`, { cause: error });
  }
  await write(Buffer.concat(chunks), options.output);
  if (summary) tell(summary);
}

/** `to` covers what its writer left unsaid: 14:00:05 its whole second. */
function windowOf({ from, to, last }: MergeOptions, nowNs: bigint): Interval {
  if (last !== undefined && from === undefined && to === undefined) {
    return { startNs: nowNs - parseDuration(last), endNs: nowNs };
  }
  if (from === undefined || last !== undefined) {
    throw new DomainError("invalid", "Cannot merge without a window: say --last 1h, or --from and, if need be, --to");
  }
  const endNs = to === undefined ? nowNs : exclusiveEnd(parseLocalTime(to, nowNs));
  return { startNs: parseLocalTime(from, nowNs).timeNs, endNs };
}

/** A file appears whole or not at all. */
async function write(bytes: Uint8Array, output: string | undefined): Promise<void> {
  if (output === undefined) {
    process.stdout.write(bytes);
    return;
  }
  const temporary = `${output}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, output);
  } catch (cause) {
    await rm(temporary, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DomainError("invalid", `Cannot write ${output}: ${reason}`, { cause });
  }
}

function tell({ matched, merged, covered, sampleTypes, skipped, warnings }: MergeSummary): void {
  const times = [covered?.startTime, covered?.endTime].map((time) => time && formatLocalTime(timeNsOf(time)));
  const window = times[0] === undefined ? "" : `, from ${times[0]} to ${times[1]}`;
  console.error(`merged ${merged} of ${matched} profiles${window}`);
  for (const { type, unit, total } of sampleTypes) console.error(`  ${type}: ${total} ${unit}`);
  for (const { count, detail } of skipped) console.error(`  skipped ${count}: ${detail}`);
  for (const warning of warnings) console.error(`  warning: ${warning}`);
}
