// From the spool to the server, the oldest first, several at a time, and again after a pause that grows while nothing arrives.

import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Sent } from "./send-on.ts";
import type { Spool, SpooledUpload } from "./spool.ts";

export interface DeliverOptions {
  spool: Spool;
  send: (upload: SpooledUpload, signal: AbortSignal) => Promise<Sent>;
  logger: Logger;
  /** Ends it; what is in the spool stays. */
  signal: AbortSignal;
}

export interface Delivery {
  readonly counts: Readonly<Record<Sent["state"], number>>;
  /** There is something new in the spool. */
  notify(): void;
  ended: Promise<void>;
}

const PARALLEL = 8;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

export function startDelivery({ spool, send, logger, signal }: DeliverOptions): Delivery {
  const counts = { delivered: 0, refused: 0, held: 0, away: 0 };
  let news = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => news.resolve());

  async function deliver(name: string): Promise<Sent> {
    const upload = await spool.read(name);
    if (upload === undefined) {
      logger.error({ name }, "an upload in the spool is damaged, and was put aside");
      return { state: "refused", reason: "damaged" };
    }
    const sent = await send(upload, signal);
    if (signal.aborted && sent.state === "away") return sent;
    counts[sent.state]++;
    if (sent.state === "delivered" || sent.state === "refused") await spool.remove(name);
    if (sent.state === "delivered") logger.debug({ target: upload.target }, "an upload was delivered");
    if (sent.state === "refused") {
      logger.warn(
        { target: upload.target, bytes: upload.body.length, reason: sent.reason },
        "the server refuses an upload for good",
      );
    }
    return sent;
  }

  /** Everything that is there by now, until nobody answers. Answers what did not go. */
  async function pass(): Promise<Sent[]> {
    const names = spool.names();
    const left: Sent[] = [];
    for (let at = 0; at < names.length && !signal.aborted; at += PARALLEL) {
      const sent = await Promise.all(names.slice(at, at + PARALLEL).map(deliver));
      left.push(...sent.filter(({ state }) => state === "held" || state === "away"));
      if (sent.some(({ state }) => state === "away")) break;
    }
    return left;
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const before = counts.delivered;
      const left = await pass();
      if (left.length > 0 && !signal.aborted) {
        failures = counts.delivered > before ? 1 : failures + 1;
        const asked = Math.max(...left.map(({ waitMs = 0 }) => waitMs));
        const pauseMs = Math.min(Math.max(asked, FIRST_PAUSE_MS * 2 ** (failures - 1)), LONGEST_PAUSE_MS);
        const waiting = spool.names().length;
        logger.warn({ waiting, pauseMs, reason: left[0]!.reason }, "the server does not take uploads now");
        // Spread, so that relays that failed together do not come back together.
        await delay(pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
      } else if (spool.names().length === 0) {
        failures = 0;
        await news.promise;
      }
      news = Promise.withResolvers<void>();
      if (signal.aborted) news.resolve();
    }
  }

  return { counts, notify: () => news.resolve(), ended: run() };
}
