// `profusion serve`: runs the server until a signal. What it is made of is src/server.ts.

import type { Command } from "commander";
import type { Logger } from "pino";
import type { TlsFiles } from "../http/tls.ts";
import { DomainError } from "../model/errors.ts";
import type { PackingOptions } from "../repository/create.ts";
import type { RunningServer } from "../server.ts";
import { type Address, parseAddress } from "./address.ts";
import { addExample } from "./example.ts";
import { parseOriginals } from "./originals.ts";
import { repeated } from "./repeated.ts";
import { listLimits, setLimits } from "./set-limits.ts";

const DEFAULT_LISTEN = "127.0.0.1:10100";
const DEFAULT_DATA = "./data";
/** Between the second signal and the end by force. */
const HURRY_MS = 1_000;

interface ServeOptions {
  listen?: Address[];
  data?: string;
  tlsCert?: string;
  tlsKey?: string;
  pack: boolean;
  originals?: PackingOptions["originals"];
  logLevel?: string;
  limit: string[];
}

export function addServe(program: Command, version: string): void {
  const command = program
    .command("serve")
    .description("run the server; SIGTERM and SIGINT stop it, a second one at once")
    .option(
      "--listen <host:port>",
      `where to listen; may be repeated (PROFUSION_LISTEN, commas between; default ${DEFAULT_LISTEN})`,
      repeated(parseAddress),
    )
    .option("--data <folder>", `where the profiles live (PROFUSION_DATA; default ${DEFAULT_DATA})`)
    .option("--tls-cert <file>", "answer TLS too, beside cleartext: certificate and chain, PEM (PROFUSION_TLS_CERT)")
    .option("--tls-key <file>", "the certificate's key, PEM without a passphrase (PROFUSION_TLS_KEY)")
    .option("--no-pack", "leave profiles as they were sent (PROFUSION_PACK=off)")
    .option(
      "--originals <policy>",
      "of packed profiles, what was sent: until-packed, keep, or how long, as 7d (PROFUSION_ORIGINALS; default until-packed)",
      parseOriginals,
    )
    .option("--log-level <level>", "trace, debug, info, warn, error or silent (PROFUSION_LOG_LEVEL; default info)")
    .option("--limit <name=number>", "set a limit; may be repeated (PROFUSION_LIMIT_<NAME>)", repeated(String), [])
    .addHelpText("after", () => `\nLimits and their defaults (bytes, ms, counts):\n${listLimits()}`)
    .action((options: ServeOptions) => serve(options, version));
  addExample(command, "profusion serve --listen 0.0.0.0:10100 --data /var/lib/profusion");
}

async function serve(options: ServeOptions, version: string): Promise<void> {
  const { env } = process;
  const limits = setLimits(options.limit, env);
  const listen = options.listen ?? (env.PROFUSION_LISTEN || DEFAULT_LISTEN).split(",").map(parseAddress);
  const tls = tlsFiles(options.tlsCert || env.PROFUSION_TLS_CERT, options.tlsKey || env.PROFUSION_TLS_KEY);
  const dataFolder = options.data || env.PROFUSION_DATA || DEFAULT_DATA;
  // Loaded here: the other verbs need none of it.
  const [{ createLogger }, { startServer }] = await Promise.all([import("./create-logger.ts"), import("../server.ts")]);
  const { logger, flush } = createLogger(options.logLevel || env.PROFUSION_LOG_LEVEL || "info");
  const originals = options.originals ?? parseOriginals(env.PROFUSION_ORIGINALS || "until-packed");
  const packing = options.pack && env.PROFUSION_PACK !== "off" ? { originals } : undefined;
  // A signal before this is done ends the process as it stands, which the storage survives.
  const server = await startServer({ listen, tls, dataFolder, limits, packing, logger, version });
  flush(); // someone may be waiting to be told the port
  const [first, second] = stopSignals();
  logger.info({ signal: await first }, "stopping");
  flush();
  void hurry(server, logger, second);
  await server.close();
  logger.info("stopped");
}

function tlsFiles(certificate: string | undefined, key: string | undefined): TlsFiles | undefined {
  if (certificate && key) return { certificate, key };
  if (!certificate && !key) return undefined;
  throw new DomainError(
    "invalid",
    `Cannot answer TLS with ${certificate ? "a certificate" : "a key"} alone: set both --tls-cert (PROFUSION_TLS_CERT) and --tls-key (PROFUSION_TLS_KEY), or neither`,
  );
}

/** The first signal to stop and the second. Listened for at once: between the two, one would end the process by itself. */
function stopSignals(): [first: Promise<string>, second: Promise<string>] {
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<string>();
  let next = first;
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      next.resolve(name);
      next = second;
    });
  }
  return [first.promise, second.promise];
}

/** What is under way is cut short at the second signal. */
async function hurry(server: RunningServer, logger: Logger, second: Promise<string>): Promise<void> {
  const signal = await second;
  logger.warn({ signal }, "stopping at once");
  setTimeout(() => process.exit(1), HURRY_MS).unref();
  await server.close(0);
}
