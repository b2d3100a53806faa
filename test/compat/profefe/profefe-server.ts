// profefe's API over a real repository and a real socket, for one test file; and requests that fetch would normalise.

import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { profefeRoutes } from "../../../src/compat/profefe/routes.ts";
import { OPEN_ACCESS } from "../../../src/http/access.ts";
import { ByteBudget } from "../../../src/http/byte-budget.ts";
import { DEFAULT_LIMITS, type Limits } from "../../../src/model/limits.ts";
import type { Repository } from "../../../src/repository/repository.ts";
import { serveRoutes, type TestServer } from "../../http/with-listener.ts";
import { type OpenedRepository, openRepository } from "../../support/open-repository.ts";
import { buildGzip } from "../../support/profile-builder.ts";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  text: string;
  /** Of the JSON envelope; fails where the answer is no JSON. */
  json(): { code: number; body?: unknown; error?: string };
}

export interface ProfefeServer extends AsyncDisposable {
  opened: OpenedRepository;
  server: TestServer;
  /** `target` goes out as it stands: nothing is escaped or cleaned. */
  ask(method: string, target: string, body?: Uint8Array, headers?: Record<string, string>): Promise<Answer>;
  /** Stores a profile and answers its id. */
  post(query: string, body: Uint8Array): Promise<string>;
}

export async function startProfefe(limits: Partial<Limits> = {}): Promise<ProfefeServer> {
  const opened = await openRepository(limits);
  const server = await serveProfefe(opened.repository, limits, () => opened.clock.nowNs);
  const ask: ProfefeServer["ask"] = (method, target, body, headers) => askServer(server, method, target, body, headers);
  return {
    opened,
    server,
    ask,
    async post(query, body) {
      const answer = await ask("POST", `/api/0/profiles?${query}`, body);
      if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
      return (answer.json().body as { id: string }).id;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
    },
  };
}

export function serveProfefe(
  repository: Repository,
  limits: Partial<Limits> = {},
  nowNs = () => 1_790_000_000_000_000_000n,
): Promise<TestServer> {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const budget = new ByteBudget(all.bytesInFlight, all.admissionWaitMs);
  return serveRoutes(
    profefeRoutes(repository, { limits: all, version: "1.2.3", access: OPEN_ACCESS, nowNs, budget, answers: budget }),
    limits,
  );
}

export function askServer(
  { port }: TestServer,
  method: string,
  target: string,
  body?: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const length = body ? { "content-length": String(body.length) } : {};
  const request = httpRequest({ host: "127.0.0.1", port, method, path: target, headers: { ...length, ...headers } });
  request.on("error", reject);
  request.on("response", (response) => {
    response.toArray().then((chunks) => {
      const bytes = Buffer.concat(chunks);
      const text = bytes.toString();
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        bytes,
        text,
        json: () => JSON.parse(text),
      });
    }, reject);
  });
  request.end(body);
  return promise;
}

const FIRST_SECOND = Date.UTC(2019, 4, 30, 21, 10, 5) / 1000;

/** A cpu profile of two stacks, `seconds` after 2019-05-30T21:10:05.5. */
export function cpuProfile(seconds = 0, value = 10): Uint8Array {
  return buildGzip({
    timeNs: BigInt(FIRST_SECOND + seconds) * 1_000_000_000n + 500_000_000n,
    durationNs: 10_000_000_000n,
    samples: [
      { stack: ["work", "main"], values: [value, value * 10_000_000] },
      { stack: ["idle", "main"], values: [1, 10_000_000] },
    ],
  });
}

export function heapProfile(seconds = 0): Uint8Array {
  return buildGzip({
    sampleTypes: [
      ["inuse_objects", "count"],
      ["inuse_space", "bytes"],
    ],
    periodType: ["space", "bytes"],
    period: 524_288n,
    timeNs: BigInt(FIRST_SECOND + seconds) * 1_000_000_000n,
    samples: [{ stack: ["allocate", "main"], values: [3, 4096] }],
  });
}

/** The window that holds what cpuProfile and heapProfile make in their first hour. */
export const WINDOW = "from=2019-05-30T21:00:00&to=2019-05-30T22:59:59";
