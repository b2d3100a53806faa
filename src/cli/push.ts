// `profusion push`: uploads files one after the other and prints their ids.

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { buffer } from "node:stream/consumers";
import type { Command } from "commander";
import { DomainError } from "../model/errors.ts";
import type { Label } from "../model/labels.ts";
import { DEFAULT_LIMITS } from "../model/limits.ts";
import { NS_PER_MS } from "../model/time.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { type Connection, connect } from "./connection.ts";
import { addExample } from "./example.ts";
import { EXIT } from "./exit-code.ts";
import { parseLabel } from "./label-option.ts";
import { parseLocalTime } from "./local-time.ts";
import { complain } from "./output.ts";
import { repeated } from "./repeated.ts";
import { timestampOf } from "./timestamp.ts";

interface PushOptions extends ClientOptions {
  service: string;
  type?: string;
  label: Label[];
  createdAt?: string;
}

export function addPush(program: Command): void {
  const command = program
    .command("push")
    .description("upload profiles; prints their ids, one a line. A bad file harms none of the others")
    .argument("<file...>", "pprof profiles, gzipped or not, or Go's debug=1 texts; - is stdin")
    .requiredOption("--service <name>", "what was profiled")
    .option("--type <type>", "cpu, heap, allocs, block, mutex, goroutine, …; default: what the columns tell")
    .option("--label <name=value>", "a label of the profile; may be repeated", repeated(parseLabel), [])
    .option("--created-at <time>", "when they were made, for profiles that do not say: RFC 3339, unix time, now-1h")
    .action(push);
  addClientOptions(command);
  addExample(command, "profusion push --service auth --label version=1.0.0 cpu.pb.gz heap.pb.gz");
}

async function push(files: string[], options: PushOptions): Promise<void> {
  const { profiles } = await connect(options);
  for (const file of files) {
    try {
      await pushFile(profiles, file, options);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      complain(`${file}: ${error.message}`);
      process.exitCode = EXIT.partial;
    }
  }
}

async function pushFile(client: Connection["profiles"], file: string, options: PushOptions): Promise<void> {
  const bytes = await readBytes(file);
  const { service, label: labels, createdAt } = options;
  const { guessType } = await import("./guess-type.ts");
  const profileType = options.type ?? guessType(bytes, basename(file), DEFAULT_LIMITS);
  const nowNs = BigInt(Date.now()) * NS_PER_MS;
  const startTime = createdAt === undefined ? undefined : timestampOf(parseLocalTime(createdAt, nowNs).timeNs);
  const metadata = { service, profileType, labels, ...(startTime && { startTime }) };
  const { profile, alreadyExisted, warnings } = await client.createProfile({ metadata, profileBytes: bytes });
  console.log(profile?.id);
  if (alreadyExisted) console.error(`${file}: was there already`);
  for (const warning of warnings) console.error(`${file}: ${warning}`);
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return file === "-" ? await buffer(process.stdin) : await readFile(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DomainError("invalid", `Cannot read it: ${reason}`, { cause });
  }
}
