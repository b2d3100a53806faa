// The file of keys as it is now: read again soon after it changes. A fault in it is told, and the keys stay as they were.

import { unwatchFile, watchFile } from "node:fs";
import type { Logger } from "pino";
import { DomainError } from "../../model/errors.ts";
import type { KeyFile } from "./key-file.ts";

/** Between two looks: by polling, since a mounted secret is renewed by moving a link far above the file. */
const LOOK_MS = 1_000;

export interface WatchedKeyFile extends Disposable {
  readonly current: KeyFile;
}

/** `read` throws `invalid`, and so does this where the file cannot be read now. */
export function watchKeyFile(
  path: string,
  read: (path: string) => KeyFile,
  logger: Logger,
  onChange: () => void,
): WatchedKeyFile {
  let current = read(path);
  const look = () => {
    try {
      current = read(path);
      logger.info({ path, keys: current.keys.size, places: current.places.length }, "the keys were read again");
      onChange();
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      logger.error({ faults: error.message.split("\n") }, "the keys stay as they were: what was read now is faulty");
    }
  };
  watchFile(path, { persistent: false, interval: LOOK_MS }, look);
  return {
    get current() {
      return current;
    },
    [Symbol.dispose]: () => unwatchFile(path, look),
  };
}
