// A foreign protocol's routes over a real repository and a real socket, for one test.

import type { ByteBudget } from "../../src/http/byte-budget.ts";
import { ByteBudget as Budget } from "../../src/http/byte-budget.ts";
import type { Route } from "../../src/http/router.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { type Answer, askServer } from "../compat/profefe/profefe-server.ts";
import { serveRoutes, type TestServer } from "../http/with-listener.ts";
import { type OpenedRepository, openRepository } from "./open-repository.ts";
import { buildGzip, type FrameSpec, type ProfileSpec } from "./profile-builder.ts";

export interface CompatServer extends AsyncDisposable {
  opened: OpenedRepository;
  server: TestServer;
  /** `target` goes out as it stands. */
  ask(method: string, target: string, body?: Uint8Array, headers?: Record<string, string>): Promise<Answer>;
}

export interface CommonOptions {
  limits: Limits;
  budget: ByteBudget;
  answers: ByteBudget;
}

export async function serveCompat(
  routesOf: (repository: Repository, common: CommonOptions) => Route[],
  given: Partial<Limits> = {},
): Promise<CompatServer> {
  const opened = await openRepository(given);
  const limits = { ...DEFAULT_LIMITS, ...given };
  const budget = new Budget(limits.bytesInFlight, limits.admissionWaitMs);
  const server = await serveRoutes(routesOf(opened.repository, { limits, budget, answers: budget }), given);
  return {
    opened,
    server,
    ask: (method, target, body, headers) => askServer(server, method, target, body, headers),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
    },
  };
}

const frame = (name: string): FrameSpec => ({ lines: [{ name, line: 12n, startLine: 10n }] });
const MINUTE_NS = 60_000_000_000n;

/** A CPU profile of `count` samples of one call, taken `minutesAgo` before the tests' clock. */
export function goCpu(count: number, minutesAgo = 60, more: Partial<ProfileSpec> = {}): Uint8Array {
  const timeNs = 1_790_000_000_000_000_000n - BigInt(minutesAgo) * MINUTE_NS;
  const stack = [frame("work"), frame("main.main")];
  const samples = count === 0 ? [] : [{ stack, values: [count, count * 10_000_000] }];
  return buildGzip({ timeNs, durationNs: 30_000_000_000n, samples, ...more });
}

/** The columns the other way round, as no Go program writes them. */
export function swappedGoCpu(count: number, minutesAgo = 60): Uint8Array {
  return goCpu(count, minutesAgo, {
    sampleTypes: [
      ["cpu", "nanoseconds"],
      ["samples", "count"],
    ],
    samples: [{ stack: [frame("work"), frame("main.main")], values: [count * 10_000_000, count] }],
  });
}

export function goHeap(): Uint8Array {
  return goCpu(0, 60, {
    sampleTypes: [
      ["inuse_objects", "count"],
      ["inuse_space", "bytes"],
    ],
    periodType: ["space", "bytes"],
    samples: [{ stack: [frame("allocate"), frame("main.main")], values: [3, 4096] }],
  });
}
