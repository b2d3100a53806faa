// `profusion serve`: runs the server until a signal. What it is made of is src/server.ts.

import type { Command } from "commander";
import type { Logger } from "pino";
import type { RunningServer } from "../server.ts";
import { addSettingFlags, type GivenFlags } from "./config/flags.ts";
import { tlsFiles } from "./config/settings.ts";
import { addExample } from "./example.ts";
import { onReloadSignal, stopSignals } from "./signals.ts";

/** Between the second signal and the end by force. */
const HURRY_MS = 1_000;

export function addServe(program: Command, version: string): void {
  const command = addSettingFlags(
    program
      .command("serve")
      .description(
        "run the server; SIGHUP reads its configuration again, SIGTERM and SIGINT stop it, a second one at once",
      ),
  ).action((flags: GivenFlags) => serve(flags, version));
  addExample(command, "profusion serve --listen 0.0.0.0:10100 --data /var/lib/profusion");
}

async function serve(flags: GivenFlags, version: string): Promise<void> {
  const { env } = process;
  // The other verbs need none of what is loaded here.
  const [{ loadConfiguration }, { reloadConfiguration }] = await Promise.all([
    import("./config/load.ts"),
    import("./config/reload.ts"),
  ]);
  const sources = { flags, environment: env };
  const loaded = await loadConfiguration(sources);
  const {
    listen,
    data: dataFolder,
    pack,
    originals,
    selfProfile,
    pgoPolicies,
    pgoFleetSubmitKeys,
    pgoFleetMergeKeys,
    autopgoPrune,
    keys,
    enable,
    disable,
    logLevel,
    limits,
  } = loaded.configuration;
  const [{ createLogger }, { startServer }] = await Promise.all([import("./create-logger.ts"), import("../server.ts")]);
  const { logger, flush } = createLogger(logLevel);
  // The one line on stderr that ends the process has no stack trace: the log does.
  process.on("uncaughtExceptionMonitor", (error) => logger.fatal({ err: error }, "ending by a fault of the program"));
  for (const warning of loaded.warnings) logger.warn(warning);
  const packing = pack ? { originals } : undefined;
  const tls = tlsFiles(loaded.configuration);
  // A signal before this is done ends the process as it stands, which the storage survives.
  const server = await startServer({
    listen,
    tls,
    dataFolder,
    limits,
    packing,
    pgoPolicies,
    pgoFleetKeys: { submit: pgoFleetSubmitKeys, merge: pgoFleetMergeKeys },
    autopgoPrune,
    keys,
    enable,
    disable,
    selfProfile,
    logger,
    version,
  });
  const [first, second] = stopSignals();
  let running = loaded;
  onReloadSignal(async () => {
    try {
      running = await reloadConfiguration(running, sources, server, logger);
    } catch (error) {
      logger.error({ err: error }, "the configuration was not read again, for a reason that nobody foresaw");
    }
    flush();
  });
  flush(); // someone may be waiting to be told the port, and send a signal then
  logger.info({ signal: await first }, "stopping");
  flush();
  void hurry(server, logger, second);
  await server.close();
  logger.info("stopped");
}

/** What is under way is cut short at the second signal. */
async function hurry(server: RunningServer, logger: Logger, second: Promise<string>): Promise<void> {
  const signal = await second;
  logger.warn({ signal }, "stopping at once");
  setTimeout(() => process.exit(1), HURRY_MS).unref();
  await server.close(0);
}
