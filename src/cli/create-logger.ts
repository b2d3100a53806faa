// The logger of a serving process: lines of JSON on stdout, written in blocks beside the work, in order.

import pino from "pino";
import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";

/** One write for some twelve requests: a write for each line took a tenth of the event loop's time under uploads. */
const BLOCK_BYTES = 4 * 1024;
const FLUSH_MS = 100;
/** Lines beyond are dropped while nobody reads the pipe: the log must neither stop the uploads nor fill the memory. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;

export interface ServeLogger {
  logger: pino.Logger;
  /** Writes what waits. The end of the process does so by itself, also where an error ends it; what SIGKILL ends loses FLUSH_MS. */
  flush(): void;
}

/** Throws `invalid` for a level that there is not. */
export function createLogger(level: string): ServeLogger {
  if (level !== "silent" && !Object.hasOwn(pino.levels.values, level)) {
    throw new DomainError(
      "invalid",
      `Cannot log at level ${quote(level)}: it is one of ${Object.keys(pino.levels.values).join(", ")} and silent`,
    );
  }
  const destination = pino.destination({
    sync: false,
    minLength: BLOCK_BYTES,
    periodicFlush: FLUSH_MS,
    maxLength: WAITING_BYTES_MAX,
  });
  const logger = pino({ level, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return { logger, flush: () => destination.flush() };
}
