// `profusion delete`: says what would go, asks, and deletes exactly that: what arrives meanwhile stays.

import type { Command } from "commander";
import { DomainError } from "../model/errors.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { type Connection, connect } from "./connection.ts";
import { countText } from "./count-text.ts";
import { addExample } from "./example.ts";
import { EXIT } from "./exit-code.ts";
import { formatLocalTime, zoneName } from "./local-time.ts";
import { addOutputOptions, answer, answerJson, complain, note, type OutputOptions } from "./output.ts";
import {
  type AskedInterval,
  addSelectionOptions,
  intervalOf,
  type SelectionOptions,
  selectorText,
  windowOf,
} from "./selection-options.ts";
import { sizeText } from "./size-text.ts";
import { timeNsOf } from "./timestamp.ts";

interface DeleteOptions extends ClientOptions, SelectionOptions, OutputOptions {
  yes?: true;
  dryRun?: true;
}

interface Selected {
  selector: string;
  interval?: AskedInterval;
}

/** More services than these are counted and not named. */
const SERVICES_NAMED = 10;

export function addDelete(program: Command): void {
  const command = program
    .command("delete")
    .description("delete the profiles that match, after a preview and a question; without a window, of all time")
    .argument("[selector or ids...]", `such as 'cpu{service="auth"}', or ids; instead of --service, --type and --label`)
    .option("-y, --yes", "delete without asking")
    .option("-n, --dry-run", "say what would be deleted, and delete nothing")
    .action(deleteProfiles);
  addSelectionOptions(command);
  addClientOptions(command);
  addOutputOptions(command, "no preview, only the question");
  addExample(
    command,
    `profusion delete '{service="auth",version="0.9.1"}' --to yesterday --dry-run`,
    "profusion delete 06fn0t4m00yh1dt5kq2wr8e3xz --yes",
  );
}

async function deleteProfiles(typed: string[], options: DeleteOptions): Promise<void> {
  const { parseProfileId } = await import("../model/profile-id.ts");
  if (typed[0] !== undefined && parseProfileId(typed[0])) return await deleteByIds(typed, options);
  if (typed.length > 1)
    throw new DomainError("invalid", "Cannot delete by several selectors at once: write one, or ids");
  const selector = await selectorText(typed[0], options);
  if (selector === undefined) {
    throw new DomainError(
      "invalid",
      "Cannot delete without a selection: write a selector, ids, or --service and --type",
    );
  }
  const window = windowOf(options);
  const connection = await connect(options);
  const selected: Selected = { selector, ...(window && { interval: intervalOf(window) }) };
  const { profileCount, sizeBytes, etag } = await connection.profiles.deleteProfiles({
    ...selected,
    validateOnly: true,
  });
  const counted = { profileCount: Number(profileCount), sizeBytes: Number(sizeBytes) };
  if (profileCount > 0n && !options.quiet && !options.json) await preview(connection, selected, counted);
  if (profileCount === 0n) note("no profile matches", options);
  const go = profileCount > 0n && !options.dryRun && (await mayDelete(profileCount, options));
  const deleted = go ? (await connection.profiles.deleteProfiles({ ...selected, etag })).profileCount : 0n;
  if (options.json) return answerJson({ ...counted, deletedCount: Number(deleted) });
  if (go && !options.quiet) answer(`deleted ${countText(deleted, "profile")}`);
}

/** Throws where nobody can be asked, `cancelled` where the answer is no. */
async function mayDelete(count: bigint, { yes }: DeleteOptions): Promise<boolean> {
  if (yes) return true;
  const { confirm } = await import("./confirm.ts");
  if (await confirm(`Delete ${countText(count, "profile")}?`)) return true;
  throw new DomainError("cancelled", "nothing was deleted");
}

async function preview(
  connection: Connection,
  selected: Selected,
  counted: { profileCount: number; sizeBytes: number },
): Promise<void> {
  const { ProfileOrder } = await import("../../gen/profusion/v1/profile_service_pb.ts");
  const [oldest, newest, names] = await Promise.all([
    connection.profiles.listProfiles({ ...selected, order: ProfileOrder.OLDEST, pageSize: 1 }),
    connection.profiles.listProfiles({ ...selected, order: ProfileOrder.NEWEST, pageSize: 1 }),
    connection.query.listServices({ ...selected, pageSize: SERVICES_NAMED }),
  ]);
  const times = [oldest, newest].map(({ profiles }) => profiles[0]?.startTime);
  const [from, to] = times.map((time) => (time ? formatLocalTime(timeNsOf(time)) : "?"));
  answer(
    `${countText(counted.profileCount, "profile")}, ${sizeText(BigInt(counted.sizeBytes))} as sent, begun ${from} to ${to} (zone ${zoneName()})`,
  );
  for (const { name, profileCount } of names.services) answer(`  ${profileCount} of service ${name}`);
  if (names.nextPageToken !== "") answer("  and of other services");
}

async function deleteByIds(ids: readonly string[], options: DeleteOptions): Promise<void> {
  const { parseProfileId } = await import("../model/profile-id.ts");
  const wrong = ids.find((id) => !parseProfileId(id));
  if (wrong !== undefined)
    throw new DomainError("invalid", `Cannot delete ids together with ${JSON.stringify(wrong)}: it is no id`);
  const { service, type, label, from, to, last } = options;
  if ((service ?? type ?? label[0] ?? from ?? to ?? last) !== undefined) {
    throw new DomainError("invalid", "Cannot take ids together with a selection or a window: an id is one profile");
  }
  const { profiles } = await connect(options);
  if (!options.quiet && !options.json) for (const id of ids) answer(id);
  if (!options.dryRun) await mayDelete(BigInt(ids.length), options);
  let deleted = 0;
  for (const id of options.dryRun ? [] : ids) {
    try {
      await profiles.deleteProfile({ id });
      deleted++;
    } catch (error) {
      if (!(error instanceof DomainError && error.kind === "not-found") || ids.length === 1) throw error;
      complain(error.message);
      process.exitCode = EXIT.partial;
    }
  }
  if (options.json) return answerJson({ profileCount: ids.length, deletedCount: deleted });
  if (!options.dryRun && !options.quiet) answer(`deleted ${countText(deleted, "profile")}`);
}
