// profefe's HTTP API, wire-compatible and widened: the one download API of ours. Differences: docs/compatibility-profefe.md.

import { OPEN_ACCESS, type Scope } from "../../http/access.ts";
import type { Exchange } from "../../http/exchange.ts";
import type { Route } from "../../http/router.ts";
import { sendText } from "../../http/send.ts";
import { DomainError } from "../../model/errors.ts";
import type { Repository } from "../../repository/repository.ts";
import { PROFILES_PATH, PROTOCOL, type ProfefeContext, type ProfefeOptions } from "./context.ts";
import { createProfile } from "./create.ts";
import { refuseAsEnvelope, sendEnvelope } from "./envelope.ts";
import { findProfiles, listServices } from "./find.ts";
import { getByIds, mergeFound, mergePosted } from "./merge.ts";
import { getPgo, PGO_PATH, refusePgo } from "./pgo.ts";

export function profefeRoutes(repository: Repository, options: ProfefeOptions): Route[] {
  type Handle = (exchange: Exchange, context: ProfefeContext) => void | Promise<void>;
  /** Without a scope: for everybody. */
  const route = (
    method: Route["method"],
    path: string,
    scope: Scope | undefined,
    handle: Handle,
    name = path,
  ): Route => ({
    method,
    path,
    name,
    handle(exchange) {
      const access = scope === undefined ? OPEN_ACCESS : options.access;
      return handle(exchange, { ...options, repository, grant: access.admit(exchange, scope ?? "read", PROTOCOL) });
    },
    refuse: refuseAsEnvelope,
  });
  const withSlash = (method: Route["method"], path: string, scope: Scope, handle: Handle) => [
    route(method, path, scope, handle),
    route(method, `${path}/`, scope, handle, path),
  ];
  return [
    ...withSlash("GET", PROFILES_PATH, "read", findProfiles),
    ...withSlash("POST", PROFILES_PATH, "write", createProfile),
    ...withSlash("GET", `${PROFILES_PATH}/merge`, "read", mergeFound),
    ...withSlash("POST", `${PROFILES_PATH}/merge`, "read", mergePosted),
    route("POST", `${PROFILES_PATH}/symbolz`, undefined, sendNoSymbols),
    // profefe takes an id without the slash too.
    route("GET", `${PROFILES_PATH}*`, "read", getByIds, `${PROFILES_PATH}/__pid__`),
    { ...route("GET", `${PGO_PATH}*`, "pgo", getPgo, `${PGO_PATH}__service__`), refuse: refusePgo },
    route("GET", "/api/0/services", "read", listServices),
    route("GET", "/api/0/version", undefined, sendVersion),
    route("*", "/api/0", undefined, nothing, "/api/0/*"),
    route("*", "/api/0/*", undefined, nothing),
  ];
}

/** Four strings, named as profefe names them. */
function sendVersion(exchange: Exchange, { version }: ProfefeContext): void {
  sendEnvelope(exchange, { version, commit: "", build_time: "", go_version: `node ${process.version}` });
}

/** `go tool pprof` asks next to the URL of a profile without symbols, and gives up where that is an error. We have none to add. */
function sendNoSymbols(exchange: Exchange): void {
  sendText(exchange, 200, "num_symbols: 0\n");
}

function nothing(): never {
  throw new DomainError("not-found", "nothing found");
}
