// From the spool to the server, the oldest first, several at a time, and again after a pause that grows while nothing arrives.

import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { DomainError } from "../../model/errors.ts";
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
/** Of what a server asks for. */
const LONGEST_ASKED_MS = 3_600_000;

export function startDelivery({ spool, send, logger, signal }: DeliverOptions): Delivery {
  const counts = { delivered: 0, refused: 0, held: 0, away: 0 };
  /** What the server does not let in: others need not wait for it. */
  const held = new Map<string, { tries: number; notBeforeMs: number }>();
  let news = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => news.resolve());

  async function deliver(name: string): Promise<Sent> {
    const sent = await attempt(name).catch(heldBySpool);
    if (signal.aborted && sent.state === "away") return sent;
    counts[sent.state]++;
    if (sent.state === "held") hold(name, sent);
    else held.delete(name);
    return sent;
  }

  /** Throws `unavailable` where the spool cannot be read or written now. */
  async function attempt(name: string): Promise<Sent> {
    const upload = await spool.read(name);
    if (upload === undefined) {
      const reason = "an upload in the spool is damaged and was put aside, or is gone";
      logger.error({ name }, reason);
      return { state: "refused", reason };
    }
    const sent = await send(upload, signal);
    if (sent.state === "delivered" || sent.state === "refused") await spool.remove(name);
    if (sent.state === "delivered") logger.debug({ path: pathOf(upload) }, "an upload was delivered");
    if (sent.state === "refused") {
      logger.warn(
        { path: pathOf(upload), bytes: upload.body.length, reason: sent.reason },
        "the server refuses an upload for good",
      );
    }
    return sent;
  }

  function hold(name: string, { reason, waitMs }: Sent): void {
    const tries = (held.get(name)?.tries ?? 0) + 1;
    const pauseMs = pauseOf(tries, waitMs);
    held.set(name, { tries, notBeforeMs: performance.now() + pauseMs });
    logger.warn({ name, pauseMs, reason }, "the server does not take an upload now");
  }

  /** Everything that is there by now and need not wait, until nobody answers. Answers those who did not. */
  async function pass(): Promise<Sent[]> {
    const names = spool.names().filter((name) => (held.get(name)?.notBeforeMs ?? 0) <= performance.now());
    for (let at = 0; at < names.length && !signal.aborted; at += PARALLEL) {
      const sent = await Promise.all(names.slice(at, at + PARALLEL).map(deliver));
      const away = sent.filter(({ state }) => state === "away");
      if (away.length > 0) return away;
    }
    return [];
  }

  /** Until something new comes, or the first of those that are held may be tried again. */
  async function rest(): Promise<void> {
    if (held.size === 0) return await news.promise;
    const over = new AbortController();
    const firstMs = Math.min(...[...held.values()].map(({ notBeforeMs }) => notBeforeMs));
    const pause = delay(Math.max(0, firstMs - performance.now()), undefined, { signal: over.signal });
    await Promise.race([news.promise, pause.catch(() => {})]); // cut short by what follows alone
    over.abort();
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      news = Promise.withResolvers<void>();
      const before = counts.delivered;
      const away = await pass();
      if (signal.aborted) return;
      if (away.length > 0) {
        failures = counts.delivered > before ? 1 : failures + 1;
        const pauseMs = pauseOf(failures, Math.max(...away.map(({ waitMs = 0 }) => waitMs)));
        const waiting = spool.names().length;
        logger.warn({ waiting, pauseMs, reason: away[0]!.reason }, "the server does not take uploads now");
        await delay(pauseMs, undefined, { signal }).catch(() => {}); // the signal ends the loop
      } else {
        failures = 0;
        await rest();
      }
    }
  }

  return { counts, notify: () => news.resolve(), ended: run() };
}

function heldBySpool(error: unknown): Sent {
  if (error instanceof DomainError) return { state: "held", reason: error.message };
  throw error;
}

/** Without the query, where tokens travel. */
function pathOf({ target }: SpooledUpload): string {
  return target.split("?", 1)[0]!;
}

function pauseOf(failures: number, askedMs = 0): number {
  // Spread, so that relays that failed together do not come back together; not before the server said, within an hour.
  const pauseMs = FIRST_PAUSE_MS * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
  return Math.round(Math.max(Math.min(askedMs, LONGEST_ASKED_MS), Math.min(pauseMs, LONGEST_PAUSE_MS)));
}
