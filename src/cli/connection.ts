// How the client verbs reach a server, and what they say when that fails.

import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { DomainError } from "../model/errors.ts";
import { quote } from "../model/text.ts";

const DEFAULT_SERVER = "http://127.0.0.1:10100";

export const SERVER_OPTION = "--server <url>";
export const SERVER_HELP = `the server (PROFUSION_SERVER; default ${DEFAULT_SERVER})`;

export interface Connection {
  server: string;
  transport: Transport;
}

/** Sends nothing yet. Throws `invalid` where `server` is no URL. */
export function connect(server = process.env.PROFUSION_SERVER || DEFAULT_SERVER): Connection {
  if (!URL.canParse(server) || !/^https?:/.test(server)) {
    throw new DomainError("invalid", `Cannot use server ${quote(server)}: write a URL such as ${DEFAULT_SERVER}`);
  }
  return { server, transport: createConnectTransport({ baseUrl: server.replace(/\/+$/, ""), httpVersion: "1.1" }) };
}

/** One line for what the server, or the way to it, said. What is no such error is a bug and is thrown on. */
export function describeFailure(error: unknown, server: string): string {
  if (error instanceof DomainError) return error.message;
  if (!(error instanceof ConnectError)) throw error;
  const { cause } = error;
  const isNetwork = cause instanceof Error && "code" in cause && typeof cause.code === "string" && "syscall" in cause;
  if (isNetwork)
    return `Cannot reach ${server} (${cause.code}): is a server running there? "profusion serve" starts one`;
  if (error.code === Code.Unknown || error.code === Code.Unimplemented) {
    return `${server} does not answer as a Profusion server: ${error.rawMessage}`;
  }
  return error.rawMessage;
}
