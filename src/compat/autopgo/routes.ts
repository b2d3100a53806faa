// autopgo's server, as its command line and its scraper use it. Every upload is kept as a profile of the service that the app is; what is
// downloaded is made when it is asked for, by the service's policy. Differences: docs/compatibility.md.

import type { Scope } from "../../http/access.ts";
import { unescapePath, utf8Text } from "../../http/escapes.ts";
import type { Exchange } from "../../http/exchange.ts";
import type { Route } from "../../http/router.ts";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import type { Repository } from "../../repository/repository.ts";
import { redirectToClean, refuseAsJson, refuseMethod, sendJson, sendNoSuchPage } from "./answer.ts";
import { isAppName } from "./app.ts";
import { type AppRequest, type AutopgoContext, type AutopgoOptions, PROFILES_PATH, PROTOCOL } from "./context.ts";
import { deleteApp } from "./delete.ts";
import { downloadProfile } from "./download.ts";
import { listApps } from "./list.ts";
import { uploadProfile } from "./upload.ts";

const APP_PATH = `${PROFILES_PATH}/`;

interface Method {
  scope: Scope;
  handle: (request: AppRequest, context: AutopgoContext) => Promise<void>;
}

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["DELETE", { scope: "delete", handle: deleteApp }],
  ["GET", { scope: "pgo", handle: downloadProfile }],
  ["HEAD", { scope: "pgo", handle: downloadProfile }],
  ["POST", { scope: "write", handle: uploadProfile }],
]);

export function autopgoRoutes(repository: Repository, options: AutopgoOptions): Route[] {
  const context: AutopgoContext = { ...options, repository };
  const route = (method: Route["method"], path: string, handle: Route["handle"], name = path): Route => ({
    method,
    path,
    name,
    handle,
    refuse: refuseAsJson,
  });
  return [
    route("GET", PROFILES_PATH, (exchange) => listApps(exchange, context)),
    route("*", `${APP_PATH}*`, (exchange) => handleApp(exchange, context), `${APP_PATH}__app__`),
    route("GET", "/api/health", (exchange) => sendHealth(exchange, repository)),
    route("GET", "/api/ready", (exchange) => sendJson(exchange, 200, {})),
    // Who puts a path behind an URL that ends with a slash writes it so.
    route("*", "//*", (exchange) => void redirectToClean(exchange)),
  ];
}

async function handleApp(exchange: Exchange, context: AutopgoContext): Promise<void> {
  if (redirectToClean(exchange)) return;
  const segment = exchange.path.slice(APP_PATH.length);
  if (segment === "" || segment.includes("/")) {
    sendNoSuchPage(exchange);
    return;
  }
  const method = METHODS.get(exchange.method);
  if (method === undefined) {
    refuseMethod(exchange, { allow: [...METHODS.keys()].join(", ") });
    return;
  }
  const grant = context.access.admit(exchange, method.scope, PROTOCOL);
  const app = utf8Text(unescapePath(segment)) ?? "";
  if (!isAppName(app)) throw new DomainError("invalid", "invalid app name");
  if (grant.service !== undefined && grant.service !== app) {
    throw new DomainError("forbidden", `This key is for the app ${quote(grant.service)}, not ${quote(app)}`);
  }
  await method.handle({ exchange, app, grant }, context);
}

/** There is one thing to depend on here, by the first of the names that it has there. */
function sendHealth(exchange: Exchange, repository: Repository): void {
  const { ready, reason } = repository.ready();
  const status = ready ? "healthy" : "unhealthy";
  const dependencies = [{ name: "blob", status, ...(!ready && { message: reason }) }];
  sendJson(exchange, ready ? 200 : 503, { status, dependencies });
}
