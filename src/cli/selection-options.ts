// Which profiles a verb is about: a selector, or its parts as options, and a window. What they mean is the server's.

import type { Command } from "commander";
import { DomainError } from "../model/errors.ts";
import type { Label } from "../model/labels.ts";
import { SelectorReader } from "../model/selector-reader.ts";
import { quote } from "../model/text.ts";
import { type Interval, NS_PER_MS } from "../model/time.ts";
import { parseSelectedLabel } from "./label-option.ts";
import { formatLocalTime, parseLocalEnd, parseLocalTime, parseSaidDuration, zoneName } from "./local-time.ts";
import { repeated } from "./repeated.ts";
import { timestampOf } from "./timestamp.ts";

export interface WindowOptions {
  from?: string;
  to?: string;
  last?: string;
}

export interface SelectionOptions extends WindowOptions {
  service?: string;
  type?: string;
  label: Label[];
}

export interface AskedInterval {
  startTime: { seconds: bigint; nanos: number };
  endTime: { seconds: bigint; nanos: number };
}

export const SELECTOR_HELP = `such as 'cpu{service="auth",version=~"1[.].*"}'; instead of --service, --type and --label`;

export function addSelectionOptions(command: Command): Command {
  command
    .option("--service <name>", "what was profiled")
    .option("--type <type>", "cpu, heap, allocs, …")
    .option(
      "--label <name=value>",
      "a label that the profiles have; may be repeated",
      repeated(parseSelectedLabel),
      [],
    );
  return addWindowOptions(command);
}

export function addWindowOptions(command: Command): Command {
  return command
    .option("--last <duration>", "the window of the last 30m, 2h, 7d")
    .option("--from <time>", "start of the window: 2h (ago), yesterday, 14:00, 2026-11-20 14:00, RFC 3339; local time")
    .option("--to <time>", "end of the window, not in it unless it is a whole day; default now");
}

/** The selector to send: as it was typed, or made of the options; undefined where nothing was said. Throws `invalid`. */
export async function selectorText(
  typed: string | undefined,
  { service, type, label }: SelectionOptions,
): Promise<string | undefined> {
  const optionsSaid = (service ?? type ?? label[0]) !== undefined;
  if (typed !== undefined && optionsSaid) {
    throw new DomainError(
      "invalid",
      "Cannot take a selector together with --service, --type or --label: write all in it",
    );
  }
  if (typed !== undefined) return checkSelector(typed);
  if (!optionsSaid) return undefined;
  const empty = label.find(({ value }) => value === "");
  if (empty) {
    throw new DomainError(
      "invalid",
      `Cannot select by the empty label ${quote(empty.name)}: in a selector it also means an absent one; write {${empty.name}=""} if that is meant`,
    );
  }
  // Loaded here: with its regular expressions it takes longer than all else together.
  const { formatSelector, selectorOf } = await import("../model/selector.ts");
  return formatSelector(selectorOf(service, type, label));
}

/** Shows under the selector where it cannot be read. What is wrong beyond its form, the server says. */
export function checkSelector(text: string): string {
  if (text.trim() === "") throw new DomainError("invalid", "Cannot read an empty selector: {} is everything");
  try {
    new SelectorReader(text).read();
  } catch (error) {
    const place = error instanceof DomainError && /at character (\d+)/.exec(error.message)?.[1];
    if (!place || /[^\x20-\x7e]/.test(text)) throw error;
    const message = `${error.message}\n  ${text}\n  ${" ".repeat(Number(place) - 1)}^`;
    throw new DomainError("invalid", message, { cause: error });
  }
  return text;
}

/** Undefined where no window was said. Throws `invalid` for one that is said twice, and for an empty one. */
export function windowOf(
  { from, to, last }: WindowOptions,
  nowNs = BigInt(Date.now()) * NS_PER_MS,
): Interval | undefined {
  if (last !== undefined && (from ?? to) !== undefined) {
    throw new DomainError("invalid", "Cannot take --last together with --from or --to: --last ends now");
  }
  if (last !== undefined) {
    const startNs = nowNs - parseSaidDuration(last);
    return notEmpty({ startNs: startNs < 0n ? 0n : startNs, endNs: nowNs });
  }
  if (from === undefined && to === undefined) return undefined;
  const startNs = from === undefined ? 0n : parseLocalTime(from, nowNs).timeNs;
  return notEmpty({ startNs, endNs: to === undefined ? nowNs : parseLocalEnd(to, nowNs) });
}

/** Nothing can lie in the others: whoever writes one meant something else. */
function notEmpty(window: Interval): Interval {
  if (window.startNs < window.endNs) return window;
  const [from, to] = [window.startNs, window.endNs].map(formatLocalTime);
  throw new DomainError(
    "invalid",
    `Cannot look into an empty window: it would begin at ${from} and end at ${to} (zone ${zoneName()})`,
  );
}

export function intervalOf({ startNs, endNs }: Interval): AskedInterval {
  return { startTime: timestampOf(startNs), endTime: timestampOf(endNs) };
}
