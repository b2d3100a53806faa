// What signals ask of a serving process: to stop, to stop at once, to read its configuration again.

import { closeSync, openSync } from "node:fs";
import { isatty } from "node:tty";

/** The first signal to stop and the second. Listened for at once: between the two, one would end the process by itself. */
export function stopSignals(): [first: Promise<string>, second: Promise<string>] {
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

/**
 * Calls `reload` at SIGHUP, one call after the other. The same signal says that a terminal is closed: a process that was started in it ends
 * then, as it would if nobody listened.
 */
export function onReloadSignal(reload: () => Promise<void>): void {
  const isInteractive = isatty(0) || isatty(1);
  let turn = Promise.resolve();
  const listener = () => {
    if (isInteractive && isTerminalGone()) {
      process.off("SIGHUP", listener);
      process.kill(process.pid, "SIGHUP");
    } else turn = turn.then(reload);
  };
  process.on("SIGHUP", listener);
}

function isTerminalGone(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return false;
  } catch {
    return true;
  }
}
