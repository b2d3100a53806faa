// `profusion pack now|status|verify` and `profusion status`: packing by hand, and what the server says of it.

import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import type { GetStatusResponse, Operation, PackStatus } from "../../gen/profusion/v1/admin_service_pb.ts";
import { DomainError } from "../model/errors.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { type Connection, connect } from "./connection.ts";
import { countText } from "./count-text.ts";
import { addExample } from "./example.ts";
import { EXIT } from "./exit-code.ts";
import { formatLocalTime } from "./local-time.ts";
import { addOutputOptions, answer, answerJson, complain, note, type OutputOptions } from "./output.ts";
import { sizeText } from "./size-text.ts";
import { timeNsOf } from "./timestamp.ts";

type Options = ClientOptions & OutputOptions;

/** Between two questions after an operation, where the server does not wait itself. */
const PAUSE_MS = 50;

export function addPack(program: Command): void {
  const pack = program.command("pack").description("packs: many profiles of a service in the space of a few");
  const verb = (parent: Command, name: string, description: string, run: (options: Options) => Promise<void>) => {
    const command = parent.command(name).description(description).action(run);
    addOutputOptions(addClientOptions(command), "say nothing; the exit code tells");
    addExample(command, parent === pack ? `profusion pack ${name}` : `profusion ${name}`);
  };
  verb(pack, "now", "pack everything that is loose, and wait until it is done and its space is free", packNow);
  verb(pack, "status", "what is packed, and what waits", async (options) => {
    const { json, admin } = await connect(options);
    const { packs } = await admin.getStatus({});
    if (options.json) answerJson(packs && json(packs));
    else if (!options.quiet) tellPacks(packs);
  });
  verb(
    pack,
    "verify",
    `read every pack and compare every profile in it, and read every release; exits with ${EXIT.partial} where something is damaged`,
    verify,
  );
  verb(program, "status", "what the server holds", async (options) => {
    const { json, admin } = await connect(options);
    const status = await admin.getStatus({});
    if (options.json) answerJson(json(status));
    else if (!options.quiet) tellStatus(status);
  });
}

function tellStatus({
  version,
  profileCount,
  seriesCount,
  serviceCount,
  originalBytes,
  packs,
}: GetStatusResponse): void {
  answer(`version ${version}`);
  answer(`profiles ${profileCount}, series ${seriesCount}, services ${serviceCount}`);
  answer(`as sent ${sizeText(originalBytes)}`);
  tellPacks(packs);
}

function tellPacks(packs: PackStatus | undefined): void {
  if (packs === undefined) return;
  const { enabled, looseProfiles, packedProfiles, packCount, packBytes, backlogTime, running, lastFailure } = packs;
  answer(
    `packed ${packedProfiles} in ${countText(packCount, "pack")} of ${sizeText(packBytes)}; loose ${looseProfiles}`,
  );
  if (!enabled) answer("packing is switched off");
  if (backlogTime) answer(`due since ${formatLocalTime(timeNsOf(backlogTime))}`);
  if (running !== "") answer(`packing ${running}`);
  if (lastFailure !== "") answer(`last failure: ${lastFailure}`);
}

async function packNow(options: Options): Promise<void> {
  const connection = await connect(options);
  const { result } = await ended(connection, (await connection.admin.pack({})).operation, options);
  if (result.case !== "pack") return;
  if (options.json) return answerJson(connection.json(result.value));
  if (options.quiet) return;
  const { packedProfiles, packCount, packBytes, refusedProfiles } = result.value;
  answer(
    `packed ${countText(packedProfiles, "profile")} into ${countText(packCount, "pack")} of ${sizeText(packBytes)}`,
  );
  if (refusedProfiles > 0n) answer(`${refusedProfiles} cannot be packed, and stay as they were sent`);
}

async function verify(options: Options): Promise<void> {
  const connection = await connect(options);
  const { result } = await ended(connection, (await connection.admin.verify({})).operation, options);
  if (result.case !== "verify") return;
  const { packCount, profileCount, damaged, damagedCount } = result.value;
  const { releaseCount, damagedReleases, damagedReleaseCount } = result.value;
  if (damagedCount + damagedReleaseCount > 0n) process.exitCode = EXIT.partial;
  if (options.json) return answerJson(connection.json(result.value));
  if (!options.quiet) {
    answer(
      `verified ${countText(profileCount, "profile")} in ${countText(packCount, "pack")}, ${damagedCount} of them damaged`,
    );
    if (releaseCount > 0n)
      answer(`verified ${countText(releaseCount, "release")}, ${damagedReleaseCount} of them damaged`);
  }
  for (const { packId, detail } of damaged) complain(`pack ${packId}: ${detail}`);
  for (const detail of damagedReleases) complain(detail);
}

/** Tells how far it is. Throws what it failed with. */
async function ended(
  { admin }: Connection,
  started: Operation | undefined,
  options: OutputOptions,
): Promise<Operation> {
  let told = "";
  for (let operation = started; operation !== undefined; ) {
    if (operation.result.case === "error") throw new DomainError("unavailable", operation.result.value.message);
    if (operation.done) return operation;
    if (operation.progress !== told && operation.progress !== "") note(operation.progress, options);
    told = operation.progress;
    await delay(PAUSE_MS);
    operation = (await admin.getOperation({ id: operation.id, maxWait: { seconds: 1n } })).operation;
  }
  throw new DomainError("unavailable", "The server answered no operation");
}
