// `profusion push`: its options. What they mean is src/cli/push/, loaded when it is asked for.

import type { Command } from "commander";
import { DomainError } from "../model/errors.ts";
import type { Label } from "../model/labels.ts";
import { quote } from "../model/text.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { addExample } from "./example.ts";
import { parseLabel } from "./label-option.ts";
import { addOutputOptions, type OutputOptions } from "./output.ts";
import { repeated } from "./repeated.ts";
import { addSendingOptions, type SendingOptions } from "./sending-options.ts";

export interface PushOptions extends ClientOptions, OutputOptions, SendingOptions {
  service?: string;
  type?: string;
  label?: Label[];
  pattern?: string;
  createdAt?: string;
  seconds?: number;
}

const MORE_HELP = `
A --pattern is held against the end of each file's path, below the folder that
was named: {service} and {type} are the profile's own, every other {name} is a
label, * is any part of a name.

A push that did not come to its end is continued by the same command: it sends
what was not acknowledged. What was is kept meanwhile by path, size and time of
change, in $XDG_STATE_HOME/profusion/push (default ~/.local/state). A profile
that is sent twice is stored once.`;

export function addPush(program: Command): void {
  const command = program
    .command("push")
    .description("upload profiles; prints their ids, one a line. A bad one harms none of the others")
    .argument("<source...>", "files, folders, globs, - for stdin, and pprof URLs of running programs")
    .option("--service <name>", "what was profiled; needed unless the pattern has {service}")
    .option("--type <type>", "cpu, heap, allocs, block, mutex, goroutine, …; default: what the columns tell")
    .option("--label <name=value>", "a label of the profiles; may be repeated", repeated(parseLabel))
    .option("--pattern <pattern>", "what paths tell, such as '{service}/{version}/{type}-*.pb.gz'")
    .option("--created-at <time>", "when they were made, for profiles that do not say; the times of files never count")
    .option(
      "--seconds <number>",
      "how long a URL profiles; snapshots such as heap are taken as they are",
      parseSeconds,
    );
  addSendingOptions(command);
  addClientOptions(command);
  addOutputOptions(command, "no progress, notes or warnings").addHelpText("after", MORE_HELP);
  addExample(
    command,
    "profusion push --service auth --label version=1.4.2 cpu.pb.gz heap.pb.gz",
    "profusion push --pattern '{service}/{version}/{type}-*.pb.gz' profiles/",
    "profusion push --service auth --seconds 10 http://10.0.0.7:6060/debug/pprof/profile",
  );
  command.action(async (sources: string[], options: PushOptions) => {
    const { push } = await import("./push/push.ts");
    await push(sources, options);
  });
}

export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= 3600) return seconds;
  throw new DomainError("invalid", `Cannot profile for ${quote(text)} seconds: write a whole number from 1 to 3600`);
}
