// `profusion relay`: takes uploads for a server that senders cannot reach, or that is away, and hands them on. The parts are in relay/.

import type { Command } from "commander";
import type { Label } from "../model/labels.ts";
import { bytes, parseLimit } from "../model/limit.ts";
import { type Address, parseAddress } from "./address.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { addExample } from "./example.ts";
import { parseLabel } from "./label-option.ts";
import { repeated } from "./repeated.ts";

export interface RelayOptions extends ClientOptions {
  listen: Address[];
  spool: string;
  spoolBytes: number;
  service?: string;
  label?: Label[];
  logLevel: string;
}

/** pcapture knows no other place. */
const DEFAULT_LISTEN = "127.0.0.1:8080";
const SPOOL_BYTES = bytes(1024 ** 3, "");

export function addRelay(program: Command): void {
  const command = program
    .command("relay")
    .description(
      "take uploads for a server that is elsewhere or away: each is kept on the disk, acknowledged, and sent on with what it came with",
    )
    .option("--listen <host:port>", "where to listen; may be repeated", repeated(parseAddress), [
      parseAddress(DEFAULT_LISTEN),
    ]);
  addClientOptions(command)
    .option("--spool <folder>", "where uploads wait; one relay at a time has it", "./relay-spool")
    .option(
      "--spool-bytes <size>",
      "no more than this waits; beyond it senders are told to come again",
      (text) => parseLimit("--spool-bytes", SPOOL_BYTES, text),
      SPOOL_BYTES.default,
    )
    .option("--service <name>", "the service of uploads that name none")
    .option("--label <name=value>", "a label for every upload; may be repeated", repeated(parseLabel))
    .option("--log-level <level>", "from which level on lines are logged", "info")
    .action(relay);
  addExample(
    command,
    "profusion relay --listen 127.0.0.1:8080 --server https://profiles.example.com --label region=eu",
  );
}

async function relay(options: RelayOptions): Promise<void> {
  const [{ findTarget }, { runRelay }] = await Promise.all([import("./target.ts"), import("./relay/run.ts")]);
  await runRelay({ ...options, ...(await findTarget(options)) });
}
