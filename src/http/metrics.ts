// The metrics of the process: the HTTP series, Node's own, and a way for the other parts to add their numbers.

import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { type RequestFigures, RequestSeries } from "./request-series.ts";

export interface Metrics {
  readonly contentType: string;
  /** All of them in Prometheus' text format. */
  text(): Promise<string>;
  observeRequest(figures: RequestFigures): void;
  /** Registers a number that is read when metrics are. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** Registers a counter and answers the function that raises it. */
  counter<Name extends string>(
    name: string,
    help: string,
    labelNames?: readonly Name[],
  ): (labels?: Partial<Record<Name, string>>, by?: number) => void;
}

/** Sums of nodejs_active_*, which Prometheus takes for counters by their names; they are no counters. */
const MISNAMED = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const requests = new RequestSeries();
  return {
    contentType: registry.contentType,
    async text() {
      return `${requests.text()}\n${await registry.metrics()}`;
    },
    observeRequest(figures) {
      // Anyone can invent a method; a label must not follow.
      requests.observe(METHODS.has(figures.method) ? figures : { ...figures, method: "other" });
    },
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers: [registry],
        async collect() {
          this.set(await read());
        },
      });
    },
    counter(name, help, labelNames = []) {
      const counter = new Counter({ name, help, labelNames, registers: [registry] });
      return (labels = {}, by = 1) => counter.inc(labels, by);
    },
  };
}
