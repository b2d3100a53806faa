// `--limit 20` and `--all`.

import { type Command, Option } from "commander";
import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";

export interface LimitOptions {
  limit: number;
  all?: true;
}

export function addLimitOptions(command: Command, limit: number, what: string): Command {
  return command
    .option("--limit <number>", `at most so many ${what}`, parseLimit, limit)
    .addOption(new Option("--all", "all of them, however many").conflicts("limit"));
}

export function limitOf({ limit, all }: LimitOptions): number {
  return all ? Number.POSITIVE_INFINITY : limit;
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new DomainError(
    "invalid",
    `Cannot use --limit ${quote(text)}: it is a whole number from 1 up; --all has no end`,
  );
}
