// The options of verbs that send many profiles: push and import.

import type { Command } from "commander";
import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";
import { NS_PER_MS } from "../model/time.ts";
import { parseSaidDuration } from "./local-time.ts";

export interface SendingOptions {
  parallel?: number;
  /** In milliseconds. */
  retryFor?: number;
  resume: boolean;
  dryRun?: true;
}

export const DEFAULT_PARALLEL = 8;
export const DEFAULT_WAIT_MS = 15_000;

export function addSendingOptions(command: Command): Command {
  return command
    .option("--parallel <number>", "requests at a time (default 8)", parseParallel)
    .option("--retry-for <duration>", "how long to wait for a server that stops answering (default 15s)", parseWaitMs)
    .option("--no-resume", "send again what was acknowledged before")
    .option("--dry-run", "only say what would be sent, and as what");
}

function parseParallel(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 64) return count;
  throw new DomainError("invalid", `Cannot send ${quote(text)} requests at a time: write a whole number from 1 to 64`);
}

function parseWaitMs(text: string): number {
  return Number(parseSaidDuration(text) / NS_PER_MS);
}
