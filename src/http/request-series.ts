// What finished requests add up to, by method, route and status, and the Prometheus text of it. Eight figures of a request cost one
// look-up: prom-client hashes the labels of each, which took a tenth of the event loop's time under uploads.

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

interface Totals {
  labels: { method: string; route: string; code: string };
  requests: number;
  seconds: number;
  /** Requests by the first of BUCKETS that is not below their duration; the last for those above all. */
  durations: Float64Array;
  requestBytes: number;
  responseBytes: number;
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** profefe's dashboards know its API by four series of their own. */
const PROFEFE_ROUTES = "/api/0/";

export class RequestSeries {
  readonly #totals = new Map<string, Totals>();

  observe({ method, route, status, durationSeconds, requestBytes, responseBytes }: RequestFigures): void {
    const key = `${method} ${status} ${route}`;
    let totals = this.#totals.get(key);
    if (totals === undefined) {
      totals = emptyTotals({ method, route, code: String(status) });
      this.#totals.set(key, totals);
    }
    let bucket = 0;
    while (bucket < BUCKETS.length && durationSeconds > BUCKETS[bucket]!) bucket++;
    totals.durations[bucket]!++;
    totals.requests++;
    totals.seconds += durationSeconds;
    totals.requestBytes += requestBytes;
    totals.responseBytes += responseBytes;
  }

  /** In Prometheus' text format, a line for each value. */
  text(): string {
    const byCode = [...this.#totals.values()];
    const byRoute = withoutCode(byCode);
    const isProfefe = ({ labels }: Totals) => labels.route.startsWith(PROFEFE_ROUTES);
    const text = new SeriesText();
    text.start("profusion_http_requests_total", "counter", "Requests answered.");
    for (const each of byCode) text.value(withCode(each, "route"), each.requests);
    text.start(
      "profusion_http_request_duration_seconds",
      "histogram",
      "From the request's headers to the end of the answer.",
    );
    for (const each of byRoute) text.histogram(plain(each, "route"), each);
    text.start("profusion_http_request_bytes_total", "counter", "Bytes of request bodies.");
    for (const each of byRoute) text.value(plain(each, "route"), each.requestBytes);
    text.start("profusion_http_response_bytes_total", "counter", "Bytes of answers.");
    for (const each of byRoute) text.value(plain(each, "route"), each.responseBytes);
    const [ofPath, ofPathAndCode] = [byRoute.filter(isProfefe), byCode.filter(isProfefe)];
    text.start("profefe_api_requests_total", "counter", "Requests to /api/0, under profefe's name.");
    for (const each of ofPathAndCode) text.value(withCode(each, "path"), each.requests);
    text.start(
      "profefe_api_request_duration_seconds",
      "histogram",
      "Duration of requests to /api/0, under profefe's name.",
    );
    for (const each of ofPathAndCode) text.histogram(withCode(each, "path"), each);
    text.start("profefe_api_request_size_bytes", "summary", "Bodies of requests to /api/0, under profefe's name.");
    for (const each of ofPath) text.sumAndCount(plain(each, "path"), each.requestBytes, each.requests);
    text.start("profefe_api_response_size_bytes", "summary", "Answers of /api/0, under profefe's name.");
    for (const each of ofPath) text.sumAndCount(plain(each, "path"), each.responseBytes, each.requests);
    return text.toString();
  }
}

function emptyTotals(labels: Totals["labels"]): Totals {
  const durations = new Float64Array(BUCKETS.length + 1);
  return { labels, requests: 0, seconds: 0, durations, requestBytes: 0, responseBytes: 0 };
}

/** Sums over the status codes. */
function withoutCode(all: readonly Totals[]): Totals[] {
  const sums = new Map<string, Totals>();
  for (const each of all) {
    const key = `${each.labels.method} ${each.labels.route}`;
    const sum = sums.get(key) ?? emptyTotals({ ...each.labels, code: "" });
    sums.set(key, sum);
    for (const [bucket, count] of each.durations.entries()) sum.durations[bucket]! += count;
    sum.requests += each.requests;
    sum.seconds += each.seconds;
    sum.requestBytes += each.requestBytes;
    sum.responseBytes += each.responseBytes;
  }
  return [...sums.values()];
}

/** Neither methods nor patterns hold quotes or line ends, so nothing is escaped. */
function plain({ labels }: Totals, routeName: string): string {
  return `method="${labels.method}",${routeName}="${labels.route}"`;
}

function withCode(totals: Totals, routeName: string): string {
  return `${plain(totals, routeName)},code="${totals.labels.code}"`;
}

class SeriesText {
  #text = "";
  #name = "";

  start(name: string, type: string, help: string): void {
    this.#name = name;
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  value(labels: string, value: number, suffix = ""): void {
    this.#text += `${this.#name}${suffix}{${labels}} ${value}\n`;
  }

  sumAndCount(labels: string, sum: number, count: number): void {
    this.value(labels, sum, "_sum");
    this.value(labels, count, "_count");
  }

  histogram(labels: string, { durations, seconds, requests }: Totals): void {
    let below = 0;
    for (const [bucket, count] of durations.entries()) {
      below += count;
      this.value(`${labels},le="${BUCKETS[bucket] ?? "+Inf"}"`, below, "_bucket");
    }
    this.sumAndCount(labels, seconds, requests);
  }

  toString(): string {
    return this.#text;
  }
}
