// The server profiles itself and keeps that like any other profile: CPU and heap of the thread that answers requests, as service "profusion".
// The threads that check, merge and pack are not in it. What V8 says becomes a profile in src/pprof/v8-profiles.ts.

import { Session } from "node:inspector/promises";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Logger } from "pino";
import { encodeProfile } from "./pprof/encode.ts";
import type { Profile } from "./pprof/profile.ts";
import { cpuProfileOfV8, heapProfileOfV8 } from "./pprof/v8-profiles.ts";
import type { Repository } from "./repository/repository.ts";

/** Short enough for who has just started a server and wants to see something; a profile takes some 2 KB. */
const WINDOW_MS = 10_000;
/** A window in each. What it costs a busy server cannot be told from what one round of uploads differs from the next. */
const PERIOD_MS = 60_000;
/** As Go's. */
const CPU_PERIOD_US = 10_000;
const HEAP_PERIOD_BYTES = 512 * 1024;
const NS_PER_US = 1_000n;

export interface SelfProfileOptions {
  repository: Pick<Repository, "push">;
  nowNs: () => bigint;
  version: string;
  logger: Logger;
  windowMs?: number;
  periodMs?: number;
}

/** Profiles a window of each period from now on until it is disposed. What cannot be kept is logged. */
export async function startSelfProfile(options: SelfProfileOptions): Promise<AsyncDisposable> {
  const sampler = await Sampler.start(options.nowNs);
  const stopping = new AbortController();
  const running = keepWindows(sampler, options, stopping.signal).catch((err) => {
    options.logger.warn({ err }, "cannot profile the server itself any more");
  });
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
      sampler.stop();
    },
  };
}

async function keepWindows(sampler: Sampler, options: SelfProfileOptions, signal: AbortSignal): Promise<void> {
  const { windowMs = WINDOW_MS, periodMs = PERIOD_MS } = options;
  const pause = (ms: number) => delay(ms, true, { signal, ref: false }).catch(() => false);
  do {
    await sampler.begin();
    if (!(await pause(windowMs))) return;
    await keepWindow(sampler, options);
  } while (await pause(periodMs - windowMs));
}

async function keepWindow(sampler: Sampler, { repository, version, logger }: SelfProfileOptions): Promise<void> {
  const labels = [
    { name: "host", value: hostname() },
    { name: "version", value: version },
  ];
  try {
    for (const [type, profile] of Object.entries(await sampler.end())) {
      const bytes = await promisify(gzip)(encodeProfile(profile));
      await repository.push({ service: "profusion", type, labels, bytes });
    }
  } catch (err) {
    logger.warn({ err }, "cannot keep the profile of the server itself");
  }
}

/**
 * V8's samplers, both in windows alone. Of the heap that is what was allocated in the window: to know of older objects it would never end.
 * They stay connected between windows: what V8 compiles meanwhile would else not tell of the functions it has inlined.
 */
class Sampler {
  readonly #session = new Session();
  readonly #nowNs: () => bigint;
  #startNs = 0n;

  private constructor(nowNs: () => bigint) {
    this.#nowNs = nowNs;
  }

  static async start(nowNs: () => bigint): Promise<Sampler> {
    const sampler = new Sampler(nowNs);
    const session = sampler.#session;
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: CPU_PERIOD_US });
    return sampler;
  }

  /** V8 reads its whole heap first, which holds the event loop up for some 50 ms. */
  async begin(): Promise<void> {
    await this.#session.post("HeapProfiler.startSampling", { samplingInterval: HEAP_PERIOD_BYTES });
    this.#startNs = this.#nowNs();
    await this.#session.post("Profiler.start");
  }

  /** The profiles of the window that ends now. */
  async end(): Promise<{ cpu: Profile; heap: Profile }> {
    const { profile: cpu } = await this.#session.post("Profiler.stop");
    const endNs = this.#nowNs();
    const { profile: heap } = await this.#session.post("HeapProfiler.stopSampling");
    return {
      cpu: cpuProfileOfV8(cpu, this.#startNs, BigInt(CPU_PERIOD_US) * NS_PER_US),
      heap: heapProfileOfV8(heap.head, endNs, BigInt(HEAP_PERIOD_BYTES)),
    };
  }

  stop(): void {
    this.#session.disconnect();
  }
}
