// What a listener calls for every request: it is recorded, then goes to a route, else to the RPC services, else it is not found.

import type { Logger } from "pino";
import { type Exchange, type HttpRequest, type HttpResponse, openExchange } from "./exchange.ts";
import type { Metrics } from "./metrics.ts";
import { recordRequest } from "./request-log.ts";
import { createRouter, type Route, refuseAsText } from "./router.ts";

export interface RequestHandlerOptions {
  routes: readonly Route[];
  /** Services that find their paths themselves, such as Connect's. */
  rpc?: RpcHandler;
  logger: Logger;
  metrics: Metrics;
}

export interface RpcHandler {
  /** The methods it serves, such as /profusion.v1.ProfileService/GetProfile: other paths never reach it. */
  paths: ReadonlySet<string>;
  handle(exchange: Exchange): void;
}

export function createRequestHandler(
  options: RequestHandlerOptions,
): (request: HttpRequest, response: HttpResponse) => void {
  const { rpc, logger, metrics } = options;
  const route = createRouter(options.routes);
  return (request, response) => {
    const exchange = openExchange(request, response);
    recordRequest(exchange, logger, metrics);
    if (route(exchange, logger)) return;
    if (rpc?.paths.has(exchange.path)) {
      exchange.route = exchange.path;
      rpc.handle(exchange);
      return;
    }
    exchange.route = "other";
    refuseAsText(exchange, { status: 404, message: "404 page not found" });
  };
}
