// The whole server on a free port of 127.0.0.1, over a temporary data folder, for one test.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { TlsFiles } from "../../src/http/tls.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import { type RunningServer, type ServerOptions, startServer } from "../../src/server.ts";

export interface ServerForTest extends AsyncDisposable {
  server: RunningServer;
  url: string;
  /** 127.0.0.1:port, as gRPC clients want it. */
  address: string;
}

export async function runServer(
  limits: Partial<Limits> = {},
  tls?: TlsFiles,
  changed: Partial<ServerOptions> = {},
): Promise<ServerForTest> {
  const dataFolder = await mkdtemp(join(tmpdir(), "profusion-"));
  const server = await startServer({
    listen: [{ host: "127.0.0.1", port: 0 }],
    tls,
    dataFolder,
    limits: { ...DEFAULT_LIMITS, ...limits },
    packing: { originals: "until-packed" },
    // A bug behind an "internal error" shows.
    logger: pino({ level: "error" }),
    version: "test",
    ...changed,
  });
  const address = `127.0.0.1:${server.addresses[0]?.port}`;
  return {
    server,
    url: `http://${address}`,
    address,
    async [Symbol.asyncDispose]() {
      await server.close(0);
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
