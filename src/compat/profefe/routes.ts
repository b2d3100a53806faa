// profefe's HTTP API, wire-compatible and widened: the one download API of ours. Differences: docs/compatibility-profefe.md.

import type { Exchange } from "../../http/exchange.ts";
import type { Route } from "../../http/router.ts";
import { sendText } from "../../http/send.ts";
import { DomainError } from "../../model/errors.ts";
import type { Repository } from "../../repository/repository.ts";
import { PROFILES_PATH, type ProfefeContext, type ProfefeOptions } from "./context.ts";
import { createProfile } from "./create.ts";
import { refuseAsEnvelope, sendEnvelope } from "./envelope.ts";
import { findProfiles, listServices } from "./find.ts";
import { getByIds, mergeFound, mergePosted } from "./merge.ts";
import { getPgo, PGO_PATH, refusePgo } from "./pgo.ts";

export function profefeRoutes(repository: Repository, options: ProfefeOptions): Route[] {
  const context: ProfefeContext = { ...options, repository };
  const route = (
    method: Route["method"],
    path: string,
    handle: (exchange: Exchange, context: ProfefeContext) => void | Promise<void>,
    name = path,
  ): Route => ({ method, path, name, handle: (exchange) => handle(exchange, context), refuse: refuseAsEnvelope });
  const withSlash = (method: Route["method"], path: string, handle: typeof createProfile) => [
    route(method, path, handle),
    route(method, `${path}/`, handle, path),
  ];
  return [
    ...withSlash("GET", PROFILES_PATH, findProfiles),
    ...withSlash("POST", PROFILES_PATH, createProfile),
    ...withSlash("GET", `${PROFILES_PATH}/merge`, mergeFound),
    ...withSlash("POST", `${PROFILES_PATH}/merge`, mergePosted),
    route("POST", `${PROFILES_PATH}/symbolz`, sendNoSymbols),
    // profefe takes an id without the slash too.
    route("GET", `${PROFILES_PATH}*`, getByIds, `${PROFILES_PATH}/__pid__`),
    { ...route("GET", `${PGO_PATH}*`, getPgo, `${PGO_PATH}__service__`), refuse: refusePgo },
    route("GET", "/api/0/services", listServices),
    route("GET", "/api/0/version", sendVersion),
    route("*", "/api/0", nothing, "/api/0/*"),
    route("*", "/api/0/*", nothing),
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
