// Which PGO profile a verb is about: the options, and the question that becomes of them, for the contract and as a URL.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Command, Option } from "commander";
import type { PgoQuestionSchema } from "../../../gen/profusion/v1/pgo_service_pb.ts";
import { DomainError } from "../../model/errors.ts";
import type { Interval } from "../../model/time.ts";
import { addWindowOptions, checkSelector, intervalOf, type WindowOptions, windowOf } from "../selection-options.ts";

export interface QuestionOptions extends WindowOptions {
  service: string;
  policy?: string;
  selector?: string;
  mode?: string;
  untilNow?: true;
}

/** What `--require` may ask for. */
export const REQUIRABLE = ["usable", "good"] as const;
export type Required = (typeof REQUIRABLE)[number];

export function addServiceOption(command: Command): Command {
  return command.requiredOption("--service <name>", "what was profiled");
}

export function addQuestionOptions(command: Command): Command {
  command
    .option("--policy <name>", "which of the service's policies makes it (default: default)")
    .option("--selector <selector>", `narrows the policy's own selector, such as '{region="eu"}'`)
    .option("--mode <value>", "of which mode of operation: a value of the policy's mode_label")
    .option("--until-now", "end the policy's window now instead of with the last full hour");
  return addWindowOptions(command);
}

export function addRequireOption(command: Command, description: string): Command {
  return command.addOption(new Option("--require <verdict>", description).choices(REQUIRABLE));
}

/** Throws `invalid`. */
export function questionOf(options: QuestionOptions): MessageInitShape<typeof PgoQuestionSchema> {
  const { service, policy = "", selector, mode = "", untilNow = false } = options;
  const window = windowInstead(options);
  return {
    service,
    policy,
    selector: selector === undefined ? "" : checkSelector(selector),
    mode,
    untilNow,
    ...(window && { interval: intervalOf(window) }),
  };
}

/** For a release, which nothing but its name chooses. Throws `invalid`. */
export function checkReleaseAlone(question: Omit<QuestionOptions, "service">): void {
  const { policy, selector, mode, untilNow, from, to, last } = question;
  if ((policy ?? selector ?? mode ?? untilNow ?? from ?? to ?? last) === undefined) return;
  throw new DomainError(
    "invalid",
    "Cannot take a release together with a policy, a selector, a mode or a window: it is what it is",
  );
}

/** The path and query of the file below a server's URL; `below` is "/report" for its report. Throws `invalid`. */
export function pathOf(options: QuestionOptions, below = "", more: Record<string, string | undefined> = {}): string {
  const { service, policy, selector, mode, untilNow } = options;
  const window = windowInstead(options);
  const asked = {
    policy,
    query: selector === undefined ? undefined : checkSelector(selector),
    mode,
    end: untilNow && "now",
    from: window && String(window.startNs).padStart(18, "0"),
    to: window && String(window.endNs).padStart(18, "0"),
    ...more,
  };
  const parameters = Object.entries(asked).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const query = parameters.length === 0 ? "" : `?${new URLSearchParams(parameters)}`;
  return `/api/0/pgo/${encodeURIComponent(service)}${below}${query}`;
}

/** Undefined: the policy's own window. */
function windowInstead({ from, to, last, untilNow }: QuestionOptions): Interval | undefined {
  const window = windowOf({ ...(from && { from }), ...(to && { to }), ...(last && { last }) });
  if (window && untilNow) {
    throw new DomainError("invalid", "Cannot take --until-now together with a window: it is about the policy's own");
  }
  return window;
}
