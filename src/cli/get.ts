// `profusion get`: what is known of profiles by their ids, and the bytes of one.

import type { Command } from "commander";
import type { Profile } from "../../gen/profusion/v1/profile_pb.ts";
import { DomainError } from "../model/errors.ts";
import { amountText } from "./amount-text.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { type Connection, connect } from "./connection.ts";
import { countText } from "./count-text.ts";
import { addExample } from "./example.ts";
import { EXIT } from "./exit-code.ts";
import { labelsText } from "./list.ts";
import { formatLocalTime, zoneName } from "./local-time.ts";
import { addOutputOptions, answer, answerExactly, answerJson, complain, type OutputOptions } from "./output.ts";
import { sizeText } from "./size-text.ts";
import { harmless } from "./terminal.ts";
import { timeNsOf } from "./timestamp.ts";
import { writeWhole } from "./write-whole.ts";

interface GetOptions extends ClientOptions, OutputOptions {
  output?: string;
}

export function addGet(program: Command): void {
  const command = program
    .command("get")
    .description("tell what is known of profiles, or with -o fetch the bytes of one, as they were sent")
    .argument("<id...>", "as `profusion list` and `profusion push` print them")
    .option("-o, --output <file>", "fetch the bytes into this file; - is stdout")
    .action(get);
  addClientOptions(command);
  addOutputOptions(command, "only the ids that there are, one a line");
  addExample(
    command,
    "profusion get 06fn0t4m00yh1dt5kq2wr8e3xz",
    "profusion get 06fn0t4m00yh1dt5kq2wr8e3xz -o auth.pb.gz",
  );
}

async function get(ids: string[], options: GetOptions): Promise<void> {
  const { output } = options;
  if (output !== undefined && ids.length > 1) {
    throw new DomainError("invalid", `Cannot write ${ids.length} profiles to one file: name one id, or merge them`);
  }
  if (output === "-" && (options.json || process.stdout.isTTY)) {
    const where = options.json ? "beside JSON" : "to a terminal";
    throw new DomainError("invalid", `Cannot write a profile ${where}: name a file with -o`);
  }
  const connection = await connect(options);
  const found = output === undefined ? await describe(connection, ids) : [await download(connection, ids[0]!, output)];
  if (output === "-") return;
  if (options.json) answerJson({ profiles: found.map(connection.json) });
  else if (options.quiet) answerExactly(found.map(({ id }) => id));
  else answer(found.map(profileText).join("\n\n"));
}

/** Those that there are; each other one is named, and the exit code tells. Throws where there is none at all. */
async function describe({ profiles }: Connection, ids: readonly string[]): Promise<Profile[]> {
  const found: Profile[] = [];
  for (const id of ids) {
    try {
      const { profile } = await profiles.getProfile({ id });
      if (profile) found.push(profile);
    } catch (error) {
      if (ids.length === 1 || !(error instanceof DomainError && ["not-found", "invalid"].includes(error.kind)))
        throw error;
      complain(error.message);
      process.exitCode = EXIT.partial;
    }
  }
  if (found.length === 0) throw new DomainError("not-found", `Cannot find any of the ${ids.length} profiles`);
  return found;
}

export async function download({ server, profiles }: Connection, id: string, output: string): Promise<Profile> {
  const chunks: Uint8Array[] = [];
  let profile: Profile | undefined;
  for await (const { part } of profiles.downloadProfile({ id })) {
    if (part.case === "profile") profile = part.value;
    else if (part.case === "chunk") chunks.push(part.value);
  }
  if (profile === undefined) throw new DomainError("unavailable", `${server} answered without the profile`);
  const bytes = Buffer.concat(chunks);
  if (output === "-") process.stdout.write(bytes);
  else await writeWhole(bytes, output);
  return profile;
}

/** As people read it; exact where that leaves digits out. */
function columnText(type: string, unit: string, total: bigint): string {
  const amount = amountText(total, unit);
  const exact = `${total} ${unit}`;
  return amount === exact || amount === String(total) ? `${type}: ${exact}` : `${type}: ${amount} (${exact})`;
}

function profileText(profile: Profile): string {
  const { startTime, duration, receiveTime } = profile;
  const durationMs = duration ? Number(timeNsOf(duration)) / 1e6 : 0;
  const lines: [name: string, value: string | undefined][] = [
    ["id", profile.id],
    ["service", profile.service],
    ["type", profile.profileType],
    ["labels", labelsText(profile)],
    ["start", startTime && `${formatLocalTime(timeNsOf(startTime))} (zone ${zoneName()})`],
    ["duration", durationMs > 0 ? `${(durationMs / 1000).toFixed(3)} s` : ""],
    ["received", receiveTime && formatLocalTime(timeNsOf(receiveTime))],
    ["size", `${sizeText(profile.sizeBytes)} as sent, ${countText(profile.sampleCount, "sample")}`],
    ...profile.sampleTypes.map(({ type, unit, total }): [string, string] => ["column", columnText(type, unit, total)]),
    ["sha256", Buffer.from(profile.digest).toString("hex")],
    ["external id", profile.externalId],
    ["sent by", profile.submitter],
  ];
  const said = lines.filter(([, value]) => value);
  return said.map(([name, value]) => `${`${name}:`.padEnd(12)} ${harmless(value!)}`).join("\n");
}
