// The server profiles itself and keeps that like any other profile: CPU and heap of the thread that answers requests, as service "profusion".
// The threads that check, merge and pack are not in it. What V8 says becomes a profile in src/pprof/v8-profiles.ts.

import { console as inspectorConsole, Session } from "node:inspector/promises";
import { hostname } from "node:os";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Logger } from "pino";
import { encodeProfile } from "./pprof/encode.ts";
import type { Profile } from "./pprof/profile.ts";
import { cpuProfileOfV8, heapProfileOfV8, type V8CpuProfile } from "./pprof/v8-profiles.ts";
import type { Repository } from "./repository/repository.ts";

/** Short enough for who has just started a server and wants to see something; a profile takes some 2 KB. */
const WINDOW_MS = 10_000;
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
}

/** Profiles from now on until it is disposed. What cannot be kept is logged. */
export async function startSelfProfile(options: SelfProfileOptions): Promise<AsyncDisposable> {
  const { windowMs = WINDOW_MS } = options;
  const sampler = await Sampler.start(options.nowNs);
  let keeping = Promise.resolve();
  const timer = setInterval(() => {
    keeping = keeping.then(() => keepWindow(sampler, options));
  }, windowMs).unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await keeping;
      sampler.stop();
    },
  };
}

async function keepWindow(sampler: Sampler, { repository, version, logger }: SelfProfileOptions): Promise<void> {
  const labels = [
    { name: "host", value: hostname() },
    { name: "version", value: version },
  ];
  try {
    for (const [type, profile] of Object.entries(await sampler.nextWindow())) {
      const bytes = await promisify(gzip)(encodeProfile(profile));
      await repository.push({ service: "profusion", type, labels, bytes });
    }
  } catch (err) {
    logger.warn({ err }, "cannot keep the profile of the server itself");
  }
}

/**
 * V8's samplers, window by window. To start CPU profiling V8 reads its whole heap, which holds the event loop up for some 50 ms: so each window
 * begins before the one before it ends, by console.profile(), which lets several run at once: V8 never stops.
 */
class Sampler {
  readonly #session = new Session();
  readonly #nowNs: () => bigint;
  #window = 0;
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
    await session.post("HeapProfiler.startSampling", { samplingInterval: HEAP_PERIOD_BYTES });
    sampler.#begin();
    return sampler;
  }

  /** The profiles of the window that ends now. */
  async nextWindow(): Promise<{ cpu: Profile; heap: Profile }> {
    const endNs = this.#nowNs();
    const startNs = this.#startNs;
    const ended = this.#title();
    this.#begin();
    const v8 = this.#end(ended);
    const { profile: heap } = await this.#session.post("HeapProfiler.getSamplingProfile");
    return {
      cpu: cpuProfileOfV8(v8, startNs, BigInt(CPU_PERIOD_US) * NS_PER_US),
      heap: heapProfileOfV8(heap.head, endNs, BigInt(HEAP_PERIOD_BYTES)),
    };
  }

  stop(): void {
    inspectorConsole.profileEnd(this.#title());
    this.#session.disconnect();
  }

  #title(): string {
    return `profusion ${this.#window}`;
  }

  #begin(): void {
    this.#window++;
    this.#startNs = this.#nowNs();
    inspectorConsole.profile(this.#title());
  }

  /** V8 hands the profile over before console.profileEnd() returns. */
  #end(title: string): V8CpuProfile {
    let found: V8CpuProfile | undefined;
    this.#session.on("Profiler.consoleProfileFinished", ({ params }) => {
      if (params.title === title) found = params.profile;
    });
    inspectorConsole.profileEnd(title);
    this.#session.removeAllListeners("Profiler.consoleProfileFinished");
    if (found === undefined) throw new Error(`V8 handed out no CPU profile "${title}"`);
    return found;
  }
}
