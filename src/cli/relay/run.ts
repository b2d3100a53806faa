// A relay from its start to the signal that ends it: a listener, the spool, the delivery, and a line of figures now and then.

import { readBody } from "../../http/body.ts";
import { ByteBudget } from "../../http/byte-budget.ts";
import type { Exchange } from "../../http/exchange.ts";
import { healthRoutes } from "../../http/health.ts";
import { startListener } from "../../http/listener.ts";
import { createMetrics } from "../../http/metrics.ts";
import { createRequestHandler } from "../../http/request-handler.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { NS_PER_MS } from "../../model/time.ts";
import { createLogger } from "../create-logger.ts";
import type { RelayOptions } from "../relay.ts";
import { stopSignals } from "../signals.ts";
import { startDelivery } from "./deliver.ts";
import { identified } from "./identity.ts";
import { sendOn } from "./send-on.ts";
import { Spool } from "./spool.ts";
import { RELAYED_UPLOADS, type RelayedUpload } from "./uploads.ts";

const FIGURES_MS = 60_000;

export interface RelayRun extends Omit<RelayOptions, "server" | "key"> {
  server: string;
  key: string | undefined;
}

export async function runRelay(options: RelayRun): Promise<void> {
  const { server, key, listen, service, label = [] } = options;
  const limits = DEFAULT_LIMITS;
  const { logger, flush } = createLogger(options.logLevel);
  using spool = await Spool.open(options.spool, options.spoolBytes);
  const stopping = new AbortController();
  const { signal } = stopping;
  const delivery = startDelivery({ spool, logger, signal, send: (upload) => sendOn(server, key, upload, signal) });
  const budget = new ByteBudget(limits.bytesInFlight, limits.admissionWaitMs);
  let received = 0;

  async function take(exchange: Exchange, upload: RelayedUpload): Promise<void> {
    upload.check?.(exchange.path);
    using body = await readBody(exchange, limits.bodyBytes, budget);
    await spool.add({ ...identified(exchange, upload, { service, labels: label }), body: body.bytes });
    received++;
    delivery.notify();
    upload.accept(exchange, BigInt(Date.now()) * NS_PER_MS);
  }

  const metrics = createMetrics();
  const routes = RELAYED_UPLOADS.map((upload) => ({
    method: "POST" as const,
    path: upload.path,
    handle: (exchange: Exchange) => take(exchange, upload),
    refuse: upload.refuse,
  }));
  const ready = () => ({ ready: true, reason: "" });
  const onRequest = createRequestHandler({ routes: [...healthRoutes(ready, metrics), ...routes], logger, metrics });
  await using listeners = new AsyncDisposableStack();
  const addresses = [];
  for (const { host, port } of listen) {
    const listener = await startListener({ host, port, limits, logger, onRequest, tls: undefined });
    listeners.defer(() => listener.close());
    addresses.push(listener.address);
  }
  let told = "";
  const tell = () => {
    const { delivered, refused } = delivery.counts;
    const figures = { received, delivered, refused, waiting: spool.names().length, waitingBytes: spool.bytes };
    if (told === JSON.stringify(figures)) return;
    told = JSON.stringify(figures);
    logger.info(figures, "relayed so far");
  };
  const [first] = stopSignals();
  const timer = setInterval(tell, FIGURES_MS);
  logger.info({ addresses, server, waiting: spool.names().length }, "relaying");
  flush();
  const name = await first;
  clearInterval(timer);
  await listeners.disposeAsync();
  stopping.abort();
  await delivery.ended;
  tell();
  logger.info({ signal: name }, "stopped");
}
