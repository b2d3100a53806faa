// `profusion pack now|status|verify` and `profusion status`: packing by hand, and what the server says of it.

import { setTimeout as delay } from "node:timers/promises";
import { type Client, createClient } from "@connectrpc/connect";
import type { Command } from "commander";
import type { Operation, PackStatus } from "../../gen/profusion/v1/admin_service_pb.ts";
import { AdminService } from "../../gen/profusion/v1/admin_service_pb.ts";
import { DomainError } from "../model/errors.ts";
import { connect, describeFailure, SERVER_HELP, SERVER_OPTION } from "./connection.ts";
import { formatLocalTime } from "./local-time.ts";
import { timeNsOf } from "./timestamp.ts";

interface ServerOption {
  server?: string;
}

type Admin = Client<typeof AdminService>;

/** Between two questions after an operation, where the server does not wait itself. */
const PAUSE_MS = 50;

export function addPack(program: Command): void {
  const pack = program.command("pack").description("packs: many profiles of a service in the space of a few");
  const verb = (name: string, description: string, run: (admin: Admin) => Promise<void>) =>
    pack
      .command(name)
      .description(description)
      .option(SERVER_OPTION, SERVER_HELP)
      .action((options: ServerOption) => call(options, run));
  verb("now", "pack everything that is loose, and wait until it is done and its space is free", packNow);
  verb("status", "what is packed, and what waits", async (admin) => tellPacks((await admin.getStatus({})).packs));
  verb("verify", "read every pack and compare every profile in it; exits with 1 where something is damaged", verify);
  program
    .command("status")
    .description("what the server holds")
    .option(SERVER_OPTION, SERVER_HELP)
    .action((options: ServerOption) => call(options, status));
}

async function call({ server: asked }: ServerOption, run: (admin: Admin) => Promise<void>): Promise<void> {
  const { server, transport } = connect(asked);
  try {
    await run(createClient(AdminService, transport));
  } catch (error) {
    throw new DomainError("unavailable", describeFailure(error, server), { cause: error });
  }
}

async function status(admin: Admin): Promise<void> {
  const { version, profileCount, seriesCount, serviceCount, originalBytes, packs } = await admin.getStatus({});
  console.log(`version ${version}`);
  console.log(`profiles ${profileCount}, series ${seriesCount}, services ${serviceCount}`);
  console.log(`as sent ${sizeOf(originalBytes)}`);
  tellPacks(packs);
}

function tellPacks(packs: PackStatus | undefined): void {
  if (packs === undefined) return;
  const { enabled, looseProfiles, packedProfiles, packCount, packBytes, backlogTime, running, lastFailure } = packs;
  console.log(`packed ${packedProfiles} in ${packCount} packs of ${sizeOf(packBytes)}; loose ${looseProfiles}`);
  if (!enabled) console.log("packing is switched off");
  if (backlogTime) console.log(`due since ${formatLocalTime(timeNsOf(backlogTime))}`);
  if (running !== "") console.log(`packing ${running}`);
  if (lastFailure !== "") console.log(`last failure: ${lastFailure}`);
}

async function packNow(admin: Admin): Promise<void> {
  const { result } = await ended(admin, (await admin.pack({})).operation);
  if (result.case !== "pack") return;
  const { packedProfiles, packCount, packBytes, refusedProfiles } = result.value;
  console.log(`packed ${packedProfiles} profiles into ${packCount} packs of ${sizeOf(packBytes)}`);
  if (refusedProfiles > 0n) console.log(`${refusedProfiles} cannot be packed, and stay as they were sent`);
}

async function verify(admin: Admin): Promise<void> {
  const { result } = await ended(admin, (await admin.verify({})).operation);
  if (result.case !== "verify") return;
  const { packCount, profileCount, damaged, damagedCount } = result.value;
  console.log(`verified ${profileCount} profiles in ${packCount} packs, ${damagedCount} of them damaged`);
  for (const { packId, detail } of damaged) console.error(`pack ${packId}: ${detail}`);
  if (damagedCount > 0n) process.exitCode = 1;
}

/** Tells on stderr how far it is. Throws what it failed with. */
async function ended(admin: Admin, started: Operation | undefined): Promise<Operation> {
  let told = "";
  for (let operation = started; operation !== undefined; ) {
    if (operation.result.case === "error") throw new DomainError("unavailable", operation.result.value.message);
    if (operation.done) return operation;
    if (operation.progress !== told && operation.progress !== "") console.error(operation.progress);
    told = operation.progress;
    await delay(PAUSE_MS);
    operation = (await admin.getOperation({ id: operation.id, maxWait: { seconds: 1n } })).operation;
  }
  throw new DomainError("unavailable", "The server answered no operation");
}

function sizeOf(bytes: bigint): string {
  const mebibytes = Number(bytes) / 1024 ** 2;
  return mebibytes < 10 ? `${(Number(bytes) / 1024).toFixed(1)} KiB` : `${mebibytes.toFixed(1)} MiB`;
}
