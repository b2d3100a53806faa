// grpc.health.v1: the repository's state, for the server and for each service.

import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";
import { contractRoutes } from "../../src/api/routes.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import { silentLogger } from "../http/with-listener.ts";
import { stubRepository } from "../support/stub-repository.ts";

const PROFILES = "profusion.v1.ProfileService";

function connect(state: { ready: boolean }, limits = DEFAULT_LIMITS as Limits) {
  const repository = stubRepository({ ready: () => ({ ...state, reason: "" }) });
  const stopping = new AbortController();
  const options = { limits, logger: silentLogger, version: "test", stopping: stopping.signal };
  return { client: createClient(Health, createRouterTransport(contractRoutes(repository, options))), stopping };
}

describe("health", () => {
  test.each(["", PROFILES, "profusion.v1.QueryService"])("Check of %j is the repository's state", async (service) => {
    const state = { ready: true };
    const { client } = connect(state);
    expect((await client.check({ service })).status).toBe(Status.SERVING);
    state.ready = false;
    expect((await client.check({ service })).status).toBe(Status.NOT_SERVING);
  });

  test("Check of an unknown service is not found", async () => {
    const error = await connect({ ready: true })
      .client.check({ service: "x.Y" })
      .then(() => undefined, ConnectError.from);
    expect(error?.code).toBe(Code.NotFound);
  });

  test("List has the server and each service", async () => {
    const { statuses } = await connect({ ready: true }).client.list({});
    expect(Object.keys(statuses).toSorted()).toEqual(
      ["", PROFILES, "profusion.v1.QueryService", "profusion.v1.PgoService", "profusion.v1.AdminService"].toSorted(),
    );
  });

  test("Watch tells the state now, and again when it changes, until the client leaves", async () => {
    const state = { ready: true };
    const { client } = connect(state);
    const leaving = new AbortController();
    const told = client.watch({ service: PROFILES }, { signal: leaving.signal })[Symbol.asyncIterator]();
    expect((await told.next()).value?.status).toBe(Status.SERVING);
    state.ready = false;
    expect((await told.next()).value?.status).toBe(Status.NOT_SERVING);
    leaving.abort();
    await expect(told.next()).rejects.toThrow(/abort/);
  });

  test("Watch says again what it said before the server would take its silence for a dead client", async () => {
    const { client, stopping } = connect({ ready: true }, { ...DEFAULT_LIMITS, requestTimeoutMs: 30 });
    const told = client.watch({ service: PROFILES })[Symbol.asyncIterator]();
    expect((await told.next()).value?.status).toBe(Status.SERVING);
    expect((await told.next()).value?.status).toBe(Status.SERVING);
    stopping.abort();
  });

  test("Watch ends when the server stops", async () => {
    const { client, stopping } = connect({ ready: true });
    const told = client.watch({ service: "x.Y" })[Symbol.asyncIterator]();
    expect((await told.next()).value?.status).toBe(Status.SERVICE_UNKNOWN);
    stopping.abort();
    expect((await told.next()).done).toBe(true);
  });
});
