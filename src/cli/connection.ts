// The client verbs' way to a server. What it takes is loaded when a verb asks for it: `--help` and completion need none of it.

import type { ClientOptions } from "./client-options.ts";
import type { Clients } from "./clients.ts";
import { findTarget } from "./target.ts";

export interface Connection extends Clients {
  /** Its URL, without a slash at the end. */
  server: string;
  key: string | undefined;
}

/**
 * Sends nothing yet. Throws `invalid` where options, environment and contexts file name no server. Every call of its clients throws
 * DomainErrors: what the server refused by its kind, and `unavailable` with what to do where it cannot be reached.
 */
export async function connect(options: ClientOptions): Promise<Connection> {
  const { server, key } = await findTarget(options);
  const { openClients } = await import("./clients.ts");
  return { server, key, ...openClients(server, key) };
}
