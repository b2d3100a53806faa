// autopgo's API over a real repository and a real socket, for one test file.

import { autopgoRoutes } from "../../../src/compat/autopgo/routes.ts";
import { type Access, OPEN_ACCESS } from "../../../src/http/access.ts";
import { ByteBudget } from "../../../src/http/byte-budget.ts";
import { DEFAULT_LIMITS, type Limits } from "../../../src/model/limits.ts";
import type { ConfiguredPolicies } from "../../../src/repository/pgo/policies.ts";
import type { Repository } from "../../../src/repository/repository.ts";
import { serveRoutes, type TestServer } from "../../http/with-listener.ts";
import { type OpenedRepository, openRepository } from "../../support/open-repository.ts";
import { buildGzip, type FrameSpec } from "../../support/profile-builder.ts";
import { type Answer, askServer } from "../profefe/profefe-server.ts";

const NOW_NS = 1_790_000_000_000_000_000n;

export interface AutopgoServer extends AsyncDisposable {
  opened: OpenedRepository;
  server: TestServer;
  /** `target` goes out as it stands: nothing is escaped or cleaned. */
  ask(method: string, target: string, body?: Uint8Array, headers?: Record<string, string>): Promise<Answer>;
  /** Uploads a profile of the app and answers the key. */
  upload(app: string, profile: Uint8Array): Promise<string>;
}

export interface AutopgoServerOptions {
  limits?: Partial<Limits>;
  pgoPolicies?: () => ConfiguredPolicies;
  access?: Access;
}

export async function startAutopgo(options: AutopgoServerOptions = {}): Promise<AutopgoServer> {
  const { limits = {}, pgoPolicies } = options;
  const opened = await openRepository(limits, pgoPolicies && { pgoPolicies });
  const server = await serveAutopgo(opened.repository, options);
  const ask: AutopgoServer["ask"] = (method, target, body, headers) => askServer(server, method, target, body, headers);
  return {
    opened,
    server,
    ask,
    async upload(app, profile) {
      const answer = await ask("POST", `/api/profile/${app}`, profile);
      if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.text}`);
      return (JSON.parse(answer.text) as { key: string }).key;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
    },
  };
}

export function serveAutopgo(
  repository: Repository,
  { limits = {}, access = OPEN_ACCESS }: AutopgoServerOptions = {},
): Promise<TestServer> {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const budget = new ByteBudget(all.bytesInFlight, all.admissionWaitMs);
  const nowNs = () => NOW_NS;
  return serveRoutes(autopgoRoutes(repository, { limits: all, access, nowNs, budget, answers: budget }), limits);
}

const frame = (name: string): FrameSpec => ({ lines: [{ name, line: 12n, startLine: 10n }] });

/** `count` samples of the stack, the innermost frame first, that were taken so long before the tests' clock. */
export function cpuProfile(count: number, secondsAgo = 60, stack = ["leaf", "main.main"]): Uint8Array {
  return buildGzip({
    timeNs: NOW_NS - BigInt(secondsAgo) * 1_000_000_000n,
    durationNs: 30_000_000_000n,
    samples: count === 0 ? [] : [{ stack: stack.map(frame), values: [count, count * 10_000_000] }],
  });
}
