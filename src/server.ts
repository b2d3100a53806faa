// The composition root: chooses the drivers, builds everything, owns start and shutdown. What anything does is decided below.

import { constants, access as permission } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import type { Logger } from "pino";
import { contractHandler } from "./api/contract-handler.ts";
import { readAutopgoPrune, withPruneRules } from "./autopgo-prune-file.ts";
import { autopgoRoutes } from "./compat/autopgo/routes.ts";
import { pcaptureRoutes } from "./compat/pcapture/routes.ts";
import { pgoFleetRoutes } from "./compat/pgo-fleet/routes.ts";
import { profefeRoutes } from "./compat/profefe/routes.ts";
import { ByteBudget } from "./http/byte-budget.ts";
import { healthRoutes } from "./http/health.ts";
import { type Listener, startListener } from "./http/listener.ts";
import { createMetrics } from "./http/metrics.ts";
import { isEnabled, type Protocol, type ProtocolName, sharedPaths } from "./http/protocols.ts";
import { createRequestHandler } from "./http/request-handler.ts";
import { readTlsCredentials, type TlsFiles } from "./http/tls.ts";
import { DomainError } from "./model/errors.ts";
import { LIMIT_NAMES, LIMITS, type LimitName, type Limits } from "./model/limits.ts";
import { NS_PER_MS } from "./model/time.ts";
import { readPgoPolicies } from "./pgo-policies-file.ts";
import { createRepository, type PackingOptions } from "./repository/create.ts";
import type { ConfiguredPolicies } from "./repository/pgo/policies.ts";
import { withPublicSources } from "./repository/public-sources.ts";
import type { Repository } from "./repository/repository.ts";
import { repositoryMetrics } from "./repository-metrics.ts";
import { startSelfProfile } from "./self-profile.ts";
import { openServerKeys, warnOfOpenness } from "./server-keys.ts";
import { makeDurableFolder } from "./storage/disk/durable.ts";
import { lockFolder } from "./storage/disk/lock.ts";
import { openLocalStorage } from "./storage/local/open-local-storage.ts";

export interface ServerOptions {
  /** Each gets a listener of its own; port 0 is any free port. */
  listen: readonly { host: string; port: number }[];
  /** Every listener answers TLS too, on its port. Absent: cleartext alone. */
  tls?: TlsFiles | undefined;
  /** Made where it is absent. One process at a time has it. */
  dataFolder: string;
  limits: Limits;
  /** Absent: nothing is packed. */
  packing?: PackingOptions | undefined;
  /** A file of policies, src/pgo-policies-file.ts. */
  pgoPolicies?: string | undefined;
  /** Files of keys, src/compat/pgo-fleet/key-file.ts. Absent: whoever may write, and whoever may have PGO profiles. */
  pgoFleetKeys?: { submit?: string | undefined; merge?: string | undefined };
  /** A file of autopgo's prune rules, src/autopgo-prune-file.ts. */
  autopgoPrune?: string | undefined;
  /** Which protocols are spoken, src/http/protocols.ts. Default: all. */
  enable?: readonly ProtocolName[];
  disable?: readonly ProtocolName[];
  /** A file of keys, src/http/keys/key-file.ts. Absent: everybody may do everything. */
  keys?: string | undefined;
  /** Default: it does not profile itself. */
  selfProfile?: boolean;
  logger: Logger;
  version: string;
}

export interface RunningServer {
  readonly addresses: readonly { host: string; port: number }[];
  readonly repository: Repository;
  /**
   * For requests from now on: those limits that LIMITS calls reloadable, and the certificate, the key, the PGO policies, their prune rules and
   * the file of keys, read anew; TLS stays on or off.
   * Throws `invalid` where these cannot be used, and nothing has changed then.
   */
  reload(changed: Pick<ServerOptions, "limits" | "tls" | "pgoPolicies" | "autopgoPrune" | "keys">): Promise<void>;
  /** Answers what is under way, within `graceMs` (default limits.shutdownMs), then closes the storage. Calling again cuts the grace short. */
  close(graceMs?: number): Promise<void>;
}

/** Serves when it resolves. Throws `unavailable` or `invalid` with what to do where it cannot; nothing stays open then. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { dataFolder, packing, logger, version } = options;
  /** The one object that everything on this thread asks, so that reload() is noticed. */
  const limits: Record<LimitName, number> = { ...options.limits };
  const startedMs = performance.now();
  await using opened = new AsyncDisposableStack();
  const tls = options.tls && (await readTlsCredentials(options.tls));
  let policies = await policiesOf(options);
  await inFolder(dataFolder, async () => {
    await makeDurableFolder(dataFolder);
    await permission(dataFolder, constants.R_OK | constants.W_OK | constants.X_OK);
  });
  opened.use(lockFolder(dataFolder));
  const report = (message: string) => logger.warn({ repair: true }, message);
  const { catalog, blobs, store } = opened.use(
    await inFolder(dataFolder, () => openLocalStorage({ folder: dataFolder, limits, report })),
  );
  const metrics = createMetrics();
  const observe = repositoryMetrics(metrics, catalog, logger);
  const threads = availableParallelism();
  const pgoPolicies = () => policies;
  const onChange = () => repository.letInAdmitted();
  const keys = opened.use(openServerKeys({ ...options, limits, onChange }));
  const repository = opened.use(
    withPublicSources(
      createRepository({ catalog, blobs, store, limits, nowNs, threads, packing, pgoPolicies, observe }),
      {
        limits,
        nowNs,
        boundLabels: (prefix) => keys.current?.publicLabels.get(prefix) ?? new Set(),
        admitted: () => keys.current?.admitted ?? new Set(),
        report: (message, error) => logger.error({ err: error }, message),
      },
    ),
  );

  const budget = new ByteBudget(limits.bytesInFlight, limits.admissionWaitMs);
  const answers = new ByteBudget(limits.answersInFlight, limits.admissionWaitMs, "answer with more profiles");
  repository.letInAdmitted();
  const stopping = new AbortController();
  const contract = () =>
    contractHandler(repository, {
      limits,
      logger,
      version,
      access: keys.access,
      budget,
      answers,
      stopping: stopping.signal,
    });
  let rpc = contract();
  const choice = { enable: options.enable ?? [], disable: options.disable ?? [] };
  const shared = { limits, access: keys.access, budget, answers };
  const { submitAccess, mergeAccess } = keys;
  const spoken: Protocol[] = [
    { name: "profefe", routes: profefeRoutes(repository, { ...shared, version, nowNs }) },
    { name: "autopgo", routes: autopgoRoutes(repository, { ...shared, nowNs }) },
    { name: "pgo-fleet", routes: pgoFleetRoutes(repository, { ...shared, submitAccess, mergeAccess }) },
    { name: "pcapture", routes: pcaptureRoutes(repository, shared) },
  ];
  const protocols = spoken.filter(({ name }) => isEnabled(name, choice));
  for (const sharing of sharedPaths(protocols)) logger.warn(sharing);
  const onRequest = createRequestHandler({
    routes: [...healthRoutes(() => repository.ready(), metrics), ...protocols.flatMap(({ routes }) => routes)],
    rpc: { paths: isEnabled("profusion", choice) ? rpc.paths : new Set(), handle: (exchange) => rpc.handle(exchange) },
    logger,
    metrics,
  });
  const listeners: Listener[] = [];
  for (const { host, port } of options.listen) {
    const listener = await startListener({ host, port, limits, logger, onRequest, tls });
    opened.defer(() => listener.close(0));
    listeners.push(listener);
  }
  if (options.selfProfile) opened.use(await startSelfProfile({ repository, nowNs, version, logger }));
  if (keys.current === undefined) warnOfOpenness(options.listen, logger);
  const { profiles, series } = await catalog.statistics();
  logger.info(
    {
      addresses: listeners.map(({ address }) => address),
      tls: tls !== undefined,
      profiles,
      series,
      startMs: performance.now() - startedMs,
    },
    "serving",
  );

  const kept = opened.move();
  let closing: Promise<void> | undefined;
  return {
    addresses: listeners.map(({ address }) => address),
    repository,
    async reload(changed) {
      const renewed = tls && changed.tls && (await readTlsCredentials(changed.tls));
      const nextPolicies = await policiesOf(changed);
      keys.reload(changed.keys);
      policies = nextPolicies;
      repository.letInAdmitted();
      if (renewed) for (const listener of listeners) listener.setTlsCredentials(renewed);
      for (const name of LIMIT_NAMES) if (LIMITS[name].isReloadable) limits[name] = changed.limits[name];
      rpc = contract(); // its handlers hold what they were made with
    },
    async close(graceMs = limits.shutdownMs) {
      stopping.abort();
      const drained = Promise.all(listeners.map((listener) => listener.close(graceMs)));
      closing ??= drained.then(() => kept.disposeAsync());
      await closing;
    },
  };
}

async function policiesOf({
  pgoPolicies,
  autopgoPrune,
  limits,
}: Pick<ServerOptions, "pgoPolicies" | "autopgoPrune" | "limits">): Promise<ConfiguredPolicies> {
  const policies = pgoPolicies === undefined ? new Map() : await readPgoPolicies(pgoPolicies, limits);
  if (autopgoPrune === undefined) return policies;
  return withPruneRules(policies, await readAutopgoPrune(autopgoPrune, limits), limits);
}

function adviceFor(cause: Error & { code?: unknown }): string {
  switch (cause.code) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "; the user that runs this may not write there: give it the folder, or name another with --data";
    case "EEXIST":
    case "ENOTDIR":
      return "; there is a file where the folder should be: name another with --data";
    case "ENOENT":
      return "; no folder can be made there: name another with --data";
    default:
      return "";
  }
}

/** What the file system refuses is the operator's to mend: it is said of which folder, without a stack. */
async function inFolder<Result>(folder: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (cause) {
    if (!(cause instanceof Error && "syscall" in cause)) throw cause;
    // Without the call and its path, which is the folder's once more.
    const reason = cause.message.replace(/, \w+ '.*$/s, "");
    throw new DomainError("unavailable", `Cannot use the data folder ${folder}: ${reason}${adviceFor(cause)}`, {
      cause,
    });
  }
}

function nowNs(): bigint {
  return BigInt(Date.now()) * NS_PER_MS;
}
