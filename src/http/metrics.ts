// The metrics of the process: one registry, the HTTP series, and a way for the other parts to add their own numbers.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry, Summary } from "prom-client";

/** What one finished request adds. */
export interface RequestFigures {
  method: string;
  /** The pattern that took it: bounded. */
  route: string;
  status: number;
  durationSeconds: number;
  requestBytes: number;
  responseBytes: number;
}

export interface Metrics {
  readonly registry: Registry;
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

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);
/** profefe's dashboards know its API by these four series. */
const PROFEFE_ROUTES = "/api/0/";

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const observeAll = httpSeries(registry);
  const observeProfefe = profefeSeries(registry);
  return {
    registry,
    observeRequest(figures) {
      // Anyone can invent a method; a label must not follow.
      const bounded = METHODS.has(figures.method) ? figures : { ...figures, method: "other" };
      observeAll(bounded);
      if (figures.route.startsWith(PROFEFE_ROUTES)) observeProfefe(bounded);
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

function httpSeries(registry: Registry): (figures: RequestFigures) => void {
  const registers = [registry];
  const labelNames = ["method", "route"] as const;
  const requests = new Counter({
    name: "profusion_http_requests_total",
    help: "Requests answered.",
    labelNames: [...labelNames, "code"] as const,
    registers,
  });
  const duration = new Histogram({
    name: "profusion_http_request_duration_seconds",
    help: "From the request's headers to the end of the answer.",
    labelNames,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const received = new Counter({
    name: "profusion_http_request_bytes_total",
    help: "Bytes of request bodies.",
    labelNames,
    registers,
  });
  const sent = new Counter({
    name: "profusion_http_response_bytes_total",
    help: "Bytes of answers.",
    labelNames,
    registers,
  });
  return ({ method, route, status, durationSeconds, requestBytes, responseBytes }) => {
    requests.inc({ method, route, code: String(status) });
    duration.observe({ method, route }, durationSeconds);
    received.inc({ method, route }, requestBytes);
    sent.inc({ method, route }, responseBytes);
  };
}

function profefeSeries(registry: Registry): (figures: RequestFigures) => void {
  const registers = [registry];
  const labelNames = ["method", "path"] as const;
  const withCode = [...labelNames, "code"] as const;
  const requests = new Counter({
    name: "profefe_api_requests_total",
    help: "Requests to /api/0, under profefe's name.",
    labelNames: withCode,
    registers,
  });
  const duration = new Histogram({
    name: "profefe_api_request_duration_seconds",
    help: "Duration of requests to /api/0, under profefe's name.",
    labelNames: withCode,
    registers,
  });
  const sizes = { percentiles: [], labelNames, registers };
  const received = new Summary({
    name: "profefe_api_request_size_bytes",
    help: "Bodies of requests to /api/0, under profefe's name.",
    ...sizes,
  });
  const sent = new Summary({
    name: "profefe_api_response_size_bytes",
    help: "Answers of /api/0, under profefe's name.",
    ...sizes,
  });
  return ({ method, route, status, durationSeconds, requestBytes, responseBytes }) => {
    const code = String(status);
    requests.inc({ method, path: route, code });
    duration.observe({ method, path: route, code }, durationSeconds);
    received.observe({ method, path: route }, requestBytes);
    sent.observe({ method, path: route }, responseBytes);
  };
}
