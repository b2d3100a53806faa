// What orchestrators and Prometheus ask: alive, ready, metrics.

import type { Metrics } from "./metrics.ts";
import type { Route } from "./router.ts";
import { sendBytes, sendText } from "./send.ts";

/** `readiness` is the repository's: ready, or why not. */
export function healthRoutes(readiness: () => { ready: boolean; reason: string }, metrics: Metrics): Route[] {
  const sendMetrics: Route["handle"] = async (exchange) => {
    const text = await metrics.text();
    sendBytes(exchange, 200, Buffer.from(text), { "content-type": metrics.contentType });
  };
  return [
    // As pgo-fleet's collector answers it, whatever the method.
    { method: "*", path: "/healthz", handle: (exchange) => sendText(exchange, 200, "OK") },
    {
      method: "GET",
      path: "/readyz",
      handle(exchange) {
        const { ready, reason } = readiness();
        sendText(exchange, ready ? 200 : 503, ready ? "ready\n" : `not ready: ${reason}\n`);
      },
    },
    { method: "GET", path: "/metrics", handle: sendMetrics },
    // Where profefe has them.
    { method: "GET", path: "/debug/metrics", handle: sendMetrics },
  ];
}
