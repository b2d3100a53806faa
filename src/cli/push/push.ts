// Options → the plan of a push, its run, and what is printed. The options themselves are src/cli/push.ts.

import { DomainError } from "../../model/errors.ts";
import { canonicalLabels, checkService } from "../../model/labels.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { checkTypeName } from "../../model/profile-type.ts";
import { NS_PER_MS } from "../../model/time.ts";
import { connect } from "../connection.ts";
import { parseLocalTime } from "../local-time.ts";
import type { PushOptions } from "../push.ts";
import { untilSignal } from "../until-signal.ts";
import { Journal } from "./journal.ts";
import { parsePathPattern } from "./path-pattern.ts";
import type { Naming } from "./prepare.ts";
import { Printer } from "./printer.ts";
import { runPush } from "./run.ts";
import { listSources } from "./sources.ts";

const DEFAULT_PARALLEL = 8;
const DEFAULT_WAIT_MS = 15_000;

export async function push(args: readonly string[], options: PushOptions): Promise<void> {
  const naming = namingOf(options);
  const { server, profiles: client } = await connect(options);
  const sources = await listSources(args);
  if (naming.seconds !== undefined && !sources.some(({ kind }) => kind === "url")) {
    throw new DomainError("invalid", "Cannot use --seconds: no source is the URL of a running program");
  }
  const { service, type, label, pattern, createdAt, dryRun = false } = options;
  const journal = Journal.open({ server, service, type, label, pattern, createdAt }, options.resume || dryRun);
  const printer = new Printer(sources, options);
  const interruption = untilSignal();
  const stop = await runPush({
    sources,
    naming,
    client,
    server,
    journal,
    parallel: options.parallel ?? DEFAULT_PARALLEL,
    waitMs: options.retryFor ?? DEFAULT_WAIT_MS,
    dryRun,
    signal: interruption.signal,
    settle: (at, outcome) => printer.settle(at, outcome),
  });
  if (stop === undefined && !dryRun) journal.remove();
  printer.end(server, stop, journal.fault);
  interruption.pass();
}

function namingOf(options: PushOptions): Naming {
  const { service, type, label: labels = [], seconds, createdAt } = options;
  const pattern = options.pattern === undefined ? undefined : parsePathPattern(options.pattern);
  const said = [...(service === undefined ? [] : ["service"]), ...(type === undefined ? [] : ["type"])];
  const twice = [...said, ...labels.map(({ name }) => name)].find((name) => pattern?.names.includes(name));
  if (twice !== undefined) {
    throw new DomainError("invalid", `Cannot take {${twice}} from the pattern and from an option too: leave one out`);
  }
  if (service === undefined && !pattern?.names.includes("service")) {
    throw new DomainError("invalid", "Cannot push without a service: say --service, or a --pattern with {service}");
  }
  // What every profile would be refused for is said once.
  if (service !== undefined) checkService(service, DEFAULT_LIMITS);
  if (type !== undefined) checkTypeName(type);
  canonicalLabels(labels, DEFAULT_LIMITS);
  const nowNs = BigInt(Date.now()) * NS_PER_MS;
  const createdAtNs = createdAt === undefined ? undefined : parseLocalTime(createdAt, nowNs).timeNs;
  return { service, type, labels, pattern, createdAtNs, seconds };
}
