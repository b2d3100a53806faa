// SIGHUP: the configuration is read again, and what a running server can change is changed. All of what can be, or nothing.

import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import { DomainError } from "../../model/errors.ts";
import type { RunningServer } from "../../server.ts";
import {
  type ConfigurationSources,
  checkConfiguration,
  configurationOf,
  faultLines,
  type Loaded,
  type Resolved,
} from "./load.ts";
import { tlsFiles } from "./settings.ts";

/** As in force now. Logs what changed and what waits for the next start, or all that is wrong, and then answers `running` itself. */
export async function reloadConfiguration(
  running: Loaded,
  sources: ConfigurationSources,
  server: RunningServer,
  logger: Logger,
): Promise<Loaded> {
  const { faults, ...next } = await checkConfiguration(sources);
  const [wasTls, nextTls] = [tlsFiles(running.configuration), tlsFiles(next.configuration)];
  // Whether clients are asked for certificates is said once as well.
  const isTlsSwitched = !wasTls !== !nextTls || !wasTls?.clientAuthority !== !nextTls?.clientAuthority;
  const isChangeable = ({ setting: { isReloadable, key } }: Resolved) =>
    isReloadable && !(isTlsSwitched && key.startsWith("tls_"));
  const pairs = running.resolved.map((was, at) => ({ was, next: next.resolved[at]!, isTaken: isChangeable(was) }));
  const resolved = pairs.map((pair) => (pair.isTaken ? pair.next : pair.was));
  const configuration = configurationOf(resolved);

  const refused = faults.length > 0 ? faultLines(faults) : await apply(server, configuration);
  if (refused) {
    logger.error({ faults: refused }, "the configuration stays as it was: what was read now is faulty");
    return running;
  }
  const changes = pairs.filter(({ was, next }) => !isDeepStrictEqual(was.value, next.value));
  const described = (isTaken: boolean) => changes.filter((pair) => pair.isTaken === isTaken).map(describe);
  tellOf(logger, configuration.logLevel, { changed: described(true), atNextStart: described(false) });
  for (const warning of next.warnings) logger.warn(warning);
  return { configuration, resolved, warnings: next.warnings };
}

/** What is wrong, where something is; nothing has changed then. */
async function apply(server: RunningServer, configuration: Loaded["configuration"]): Promise<string[] | undefined> {
  try {
    const { limits, pgoPolicies, autopgoPrune, keys } = configuration;
    await server.reload({ limits, tls: tlsFiles(configuration), pgoPolicies, autopgoPrune, keys });
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return [error.message];
    throw error;
  }
}

/** At whichever of the two levels shows it. */
function tellOf(logger: Logger, level: string, changes: { changed: string[]; atNextStart: string[] }): void {
  const tell = () => {
    logger.info(changes, "the configuration was read again");
    if (changes.atNextStart.length > 0) logger.warn(changes, "not every change takes effect before the next start");
  };
  const isShown = logger.isLevelEnabled("info");
  if (isShown) tell();
  logger.level = level;
  if (!isShown) tell();
}

function describe({ was, next }: { was: Resolved; next: Resolved }): string {
  const shown = ({ texts }: Resolved) => texts.join(", ") || "not set";
  return `${was.setting.key}: ${shown(was)} → ${shown(next)}`;
}
