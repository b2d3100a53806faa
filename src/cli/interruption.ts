// Ctrl-C and its like, for verbs that take their time and tell at the end what they did.

import { DomainError } from "../model/errors.ts";

export interface Interruption {
  signal: AbortSignal;
  /** Ends the process as the signal would have, if one came: shells go by it. */
  pass(): void;
}

/** The first signal aborts, its reason a DomainError, so that what was done is told; a second one ends the process at once. */
export function untilSignal(): Interruption {
  const controller = new AbortController();
  let came: NodeJS.Signals | undefined;
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const stop = (name: NodeJS.Signals) => {
    came = name;
    for (const each of names) process.off(each, stop);
    controller.abort(new DomainError("cancelled", `Interrupted by ${name}`));
  };
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    pass() {
      if (came !== undefined) process.kill(process.pid, came);
    },
  };
}
