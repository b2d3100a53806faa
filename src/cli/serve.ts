// `profusion serve`: runs the server until a signal. What it is made of is src/server.ts.

import { once } from "node:events";
import type { Command } from "commander";
import pino from "pino";
import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";
import type { RunningServer } from "../server.ts";
import { type Address, parseAddress } from "./address.ts";
import { repeated } from "./repeated.ts";
import { listLimits, setLimits } from "./set-limits.ts";

const DEFAULT_LISTEN = "127.0.0.1:10100";
const DEFAULT_DATA = "./data";
/** Between the second signal and the end by force. */
const HURRY_MS = 1_000;

interface ServeOptions {
  listen?: Address[];
  data?: string;
  logLevel?: string;
  limit: string[];
}

export function addServe(program: Command, version: string): void {
  program
    .command("serve")
    .description("run the server; SIGTERM and SIGINT stop it, a second one at once")
    .option(
      "--listen <host:port>",
      `where to listen; may be repeated (PROFUSION_LISTEN, commas between; default ${DEFAULT_LISTEN})`,
      repeated(parseAddress),
    )
    .option("--data <folder>", `where the profiles live (PROFUSION_DATA; default ${DEFAULT_DATA})`)
    .option("--log-level <level>", "trace, debug, info, warn, error or silent (PROFUSION_LOG_LEVEL; default info)")
    .option("--limit <name=number>", "set a limit; may be repeated (PROFUSION_LIMIT_<NAME>)", repeated(String), [])
    .addHelpText("after", () => `\nLimits and their defaults (bytes, ms, counts):\n${listLimits()}`)
    .action((options: ServeOptions) => serve(options, version));
}

async function serve(options: ServeOptions, version: string): Promise<void> {
  const { env } = process;
  const limits = setLimits(options.limit, env);
  const listen = options.listen ?? (env.PROFUSION_LISTEN || DEFAULT_LISTEN).split(",").map(parseAddress);
  const dataFolder = options.data || env.PROFUSION_DATA || DEFAULT_DATA;
  const logger = createLogger(options.logLevel || env.PROFUSION_LOG_LEVEL || "info");
  // Loaded here: the other verbs need none of it.
  const { startServer } = await import("../server.ts");
  // A signal before this is done ends the process as it stands, which the storage survives.
  const server = await startServer({ listen, dataFolder, limits, logger, version });
  logger.info({ signal: await nextSignal() }, "stopping");
  void hurry(server, logger);
  await server.close();
  logger.info("stopped");
}

/** Lines of JSON on stdout, written at once: nothing is lost when the process ends. */
function createLogger(level: string): pino.Logger {
  if (level !== "silent" && !Object.hasOwn(pino.levels.values, level)) {
    throw new DomainError(
      "invalid",
      `Cannot log at level ${quote(level)}: it is one of ${Object.keys(pino.levels.values).join(", ")} and silent`,
    );
  }
  return pino({ level, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ sync: true }));
}

async function nextSignal(): Promise<string> {
  const either = new AbortController();
  const names = ["SIGTERM", "SIGINT"] as const;
  const name = await Promise.race(names.map((each) => once(process, each, either).then(() => each)));
  either.abort();
  return name;
}

/** What is under way is cut short at the second signal. */
async function hurry(server: RunningServer, logger: pino.Logger): Promise<void> {
  const signal = await nextSignal();
  logger.warn({ signal }, "stopping at once");
  setTimeout(() => process.exit(1), HURRY_MS).unref();
  await server.close(0);
}
