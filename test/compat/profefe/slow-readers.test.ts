// Clients that ask for profiles and do not read them: what they may hold is bounded, and given back however they end.

import { expect, test } from "vitest";
import { profefeRoutes } from "../../../src/compat/profefe/routes.ts";
import { OPEN_ACCESS } from "../../../src/http/access.ts";
import { ByteBudget } from "../../../src/http/byte-budget.ts";
import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";
import type { Repository } from "../../../src/repository/repository.ts";
import { connectRaw, serveRoutes } from "../../http/with-listener.ts";
import { mergesTo, profileRecord, stubRepository } from "../../support/stub-repository.ts";
import { askServer } from "./profefe-server.ts";

const MIB = 1024 * 1024;
/** More than the sockets between a server and its client take in. */
const LARGE = Buffer.alloc(32 * MIB);
const SMALL = Buffer.alloc(MIB);

const bytesOf = (id: string) => (id === "small" ? SMALL : LARGE);
const recordOf = (id: string) => profileRecord({ id, sizeBytes: bytesOf(id).length });
const repository: Partial<Repository> = {
  get: async (id) => recordOf(id),
  download: async (id) => ({ record: recordOf(id), bytes: bytesOf(id) }),
  merge: mergesTo(LARGE),
};

test.each([
  ["a download", "/api/0/profiles/large"],
  ["a merge", "/api/0/profiles/merge?service=a&type=cpu&last=1h"],
])(
  "%s that is not read holds its bytes: others beyond the budget are refused, within it they are served",
  async (_, path) => {
    const answers = new ByteBudget(80 * MIB, 50, "answer with more profiles");
    const options = {
      limits: DEFAULT_LIMITS,
      version: "",
      access: OPEN_ACCESS,
      nowNs: () => 1_790_000_000_000_000_000n,
      budget: answers,
    };
    await using server = await serveRoutes(profefeRoutes(stubRepository(repository), { ...options, answers }));
    const slow = [await connectRaw(server.port), await connectRaw(server.port)];
    for (const { socket, send } of slow) {
      socket.pause();
      send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    }
    await expect.poll(() => answers.takenBytes).toBe(64 * MIB);

    const refused = await askServer(server, "GET", path);
    expect([refused.status, refused.headers["retry-after"], refused.json().error]).toEqual([
      503,
      "5",
      "Cannot answer with more profiles now: 67108864 of 83886080 bytes are in flight; try again in a few seconds",
    ]);
    expect((await askServer(server, "GET", "/api/0/profiles/small")).bytes.length).toBe(MIB);
    expect((await askServer(server, "HEAD", "/api/0/profiles/large")).status).toBe(200);

    slow[0]!.socket.destroy();
    expect((await askServer(server, "GET", path)).bytes.length).toBe(32 * MIB);
    await expect.poll(() => answers.takenBytes).toBe(32 * MIB);
    slow[1]!.socket.resume();
    await expect.poll(() => answers.takenBytes).toBe(0);
    slow[1]!.socket.destroy();
  },
);
