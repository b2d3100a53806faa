// Who may do what on this server: its file of keys and pgo-fleet's two, each read again when it changes, as the access that protocols ask.

import type { Logger } from "pino";
import { readFleetKeyFile } from "./compat/pgo-fleet/key-file.ts";
import { type Access, OPEN_ACCESS, type Scope } from "./http/access.ts";
import { type KeyFile, readKeyFile } from "./http/keys/key-file.ts";
import { keyedAccess } from "./http/keys/keyed-access.ts";
import { sourceNames } from "./http/keys/source-name.ts";
import { type WatchedKeyFile, watchKeyFile } from "./http/keys/watched-key-file.ts";
import type { Limits } from "./model/limits.ts";

export interface ServerKeysOptions {
  keys?: string | undefined;
  /** Absent: as `keys` says. */
  pgoFleetKeys?: { submit?: string | undefined; merge?: string | undefined };
  dataFolder: string;
  limits: Limits;
  logger: Logger;
  onChange: () => void;
}

export interface ServerKeys extends Disposable {
  readonly access: Access;
  readonly submitAccess: Access;
  readonly mergeAccess: Access;
  /** Undefined: everybody may do everything. */
  readonly current: KeyFile | undefined;
  /** Reads `path` in place of the file of keys. Throws `invalid`, and nothing has changed then. */
  reload(path: string | undefined): void;
}

/** Throws `invalid` where a file cannot be read. */
export function openServerKeys(options: ServerKeysOptions): ServerKeys {
  const { dataFolder, limits, logger, onChange } = options;
  const sourceOf = sourceNames(dataFolder);
  using opened = new DisposableStack();

  const open = (path: string | undefined): WatchedKeyFile | undefined =>
    path === undefined ? undefined : watchKeyFile(path, (each) => readKeyFile(each, limits), logger, onChange);
  let keys = open(options.keys);
  opened.defer(() => keys?.[Symbol.dispose]());
  const keyed = keyedAccess({ file: () => keys!.current, limits, sourceOf });
  const access: Access = { admit: (...asked) => (keys ? keyed : OPEN_ACCESS).admit(...asked) };

  const fleetAccess = (path: string | undefined, scope: Scope): Access => {
    if (path === undefined) return access;
    const read = (each: string) => readFleetKeyFile(each, scope, limits);
    const file = opened.use(watchKeyFile(path, read, logger, onChange));
    return keyedAccess({ file: () => file.current, limits, sourceOf });
  };
  const submitAccess = fleetAccess(options.pgoFleetKeys?.submit, "write");
  const mergeAccess = fleetAccess(options.pgoFleetKeys?.merge, "pgo");

  const kept = opened.move();
  return {
    access,
    submitAccess,
    mergeAccess,
    get current() {
      return keys?.current;
    },
    reload(path) {
      const next = open(path);
      keys?.[Symbol.dispose]();
      keys = next;
    },
    [Symbol.dispose]: () => kept.dispose(),
  };
}

/** Where whoever reaches it may do everything, and more than this machine can reach it. */
export function warnOfOpenness(listen: readonly { host: string; port: number }[], logger: Logger): void {
  const reachable = listen.filter(({ host }) => !/^(127\.|::1$|localhost$)/.test(host));
  if (reachable.length === 0) return;
  const addresses = reachable.map(({ host, port }) => `${host}:${port}`);
  logger.warn(
    { addresses },
    "whoever reaches this server may do everything: there are no keys; name a file of them with --keys",
  );
}
