// What a call to a server failed with, in the words of the command line: what happened, where, and what to do.

import { Code, ConnectError } from "@connectrpc/connect";
import { DomainError, type ErrorKind } from "../model/errors.ts";

const KINDS: Partial<Record<Code, ErrorKind>> = {
  [Code.InvalidArgument]: "invalid",
  [Code.NotFound]: "not-found",
  [Code.FailedPrecondition]: "conflict",
  [Code.Aborted]: "stale",
  [Code.ResourceExhausted]: "exhausted",
  [Code.Unavailable]: "unavailable",
  [Code.DeadlineExceeded]: "unavailable",
  [Code.Unauthenticated]: "unauthenticated",
  [Code.PermissionDenied]: "forbidden",
  [Code.Canceled]: "cancelled",
};

const BEHIND_PROXY =
  "a proxy stands there that does not reach a Profusion server; is one running behind it? It may also be overloaded: try again later";

/** What is no failed call is a bug, and handed back as it is. */
export function callFailure(error: unknown, server: string): unknown {
  if (!(error instanceof ConnectError)) return error;
  const { cause, code, rawMessage } = error;
  const failure = (kind: ErrorKind, message: string) => new DomainError(kind, message, { cause: error });
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") {
    return failure("unavailable", `Cannot reach ${server} (${cause.code}): ${adviceFor(cause.code, server)}`);
  }
  if (/^HTTP \d+$|^unsupported content type/.test(rawMessage) && KINDS[code] === undefined) {
    return failure("unavailable", `${server} does not answer as a Profusion server: ${rawMessage}. Is the URL right?`);
  }
  if (code === Code.Unimplemented) {
    return failure("unavailable", `${server} cannot do this: ${rawMessage}. Is it older than this command?`);
  }
  const status = /^HTTP (\d+)$/.exec(rawMessage)?.[1];
  if (["502", "503", "504"].includes(status ?? "")) {
    return failure("unavailable", `${server} answers HTTP ${status}: ${BEHIND_PROXY}`);
  }
  const kind = KINDS[code];
  if (kind === undefined) return failure("unavailable", `${server} failed: ${rawMessage}; its log says more`);
  if (kind === "unauthenticated") {
    return failure(kind, `${server} refuses without a valid key (${rawMessage}): name one with --key or PROFUSION_KEY`);
  }
  // Of a proxy, as a rule: a Profusion server says more.
  return failure(
    kind,
    status === undefined ? rawMessage : `${server} answers HTTP ${status}; does a proxy stand before it?`,
  );
}

function adviceFor(code: string, server: string): string {
  if (code === "ECONNREFUSED") {
    return 'nothing listens there. "profusion serve" starts a server; --server or PROFUSION_SERVER names another';
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return "there is no host of this name, or it cannot be looked up now";
  if (code === "EPROTO" && server.startsWith("https:")) {
    return `it does not answer TLS there; try http:${server.slice("https:".length)}`;
  }
  if (/CERT|SELF_SIGNED|ISSUER/.test(code)) {
    return "its certificate is not trusted; NODE_EXTRA_CA_CERTS=<file.pem> makes an authority of your own known";
  }
  return "the connection failed or broke off; is a server running there, and is the network up?";
}
