// Method and path → handler. Paths are matched as they came; decoding them is the handler's. Observing requests is request-log.ts's.

import type { Logger } from "pino";
import { type Refusal, refusalOf } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { cutAnswer, sendText } from "./send.ts";

export interface Route {
  /** GET also answers HEAD. "*" answers every method. */
  method: "GET" | "POST" | "PUT" | "DELETE" | "*";
  /** The whole path; with a `*` at its end, every path that begins so. The longest pattern wins. */
  path: string;
  /** What logs and metrics call it. Default: `path`. */
  name?: string;
  /** What it throws becomes a refusal. */
  handle(exchange: Exchange): void | Promise<void>;
  /** Writes an error in this protocol's form. Default: one line of text. */
  refuse?(exchange: Exchange, refusal: Refusal): void;
}

/** Handles the exchange, or answers false where no pattern fits its path. A known path with another method is refused with 405. */
export type Router = (exchange: Exchange, logger: Logger) => boolean;

export function createRouter(routes: readonly Route[]): Router {
  const exact = new Map<string, Route[]>();
  const prefixes = new Map<string, Route[]>();
  for (const route of routes) {
    const isPrefix = route.path.endsWith("*");
    const key = isPrefix ? route.path.slice(0, -1) : route.path;
    const table = isPrefix ? prefixes : exact;
    table.set(key, [...(table.get(key) ?? []), route]);
  }
  const longestFirst = [...prefixes].sort(([a], [b]) => b.length - a.length);

  return (exchange, logger) => {
    const found = exact.get(exchange.path) ?? longestFirst.find(([prefix]) => exchange.path.startsWith(prefix))?.[1];
    if (found === undefined) return false;
    const route = found.find(({ method }) => takes(method, exchange.method));
    exchange.route = (route ?? found[0]!).name ?? (route ?? found[0]!).path;
    if (route) void run(route, exchange, logger);
    else refuseMethod(found, exchange);
    return true;
  };
}

function takes(method: Route["method"], asked: string): boolean {
  return method === asked || method === "*" || (method === "GET" && asked === "HEAD");
}

async function run(route: Route, exchange: Exchange, logger: Logger): Promise<void> {
  try {
    await route.handle(exchange);
  } catch (error) {
    const refusal = refusalOf(error, logger);
    if (exchange.response.headersSent) cutAnswer(exchange);
    else (route.refuse ?? refuseAsText)(exchange, refusal);
  }
}

function refuseMethod(found: readonly Route[], exchange: Exchange): void {
  const allowed = found.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
  const refusal: Refusal = {
    status: 405,
    message: `Cannot ${exchange.method} here: ${allowed} are allowed`,
    headers: { allow: allowed },
  };
  (found[0]!.refuse ?? refuseAsText)(exchange, refusal);
}

export function refuseAsText(exchange: Exchange, { status, message, headers }: Refusal): void {
  sendText(exchange, status, `${message}\n`, headers);
}
