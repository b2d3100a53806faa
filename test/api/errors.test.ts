// What the contract answers when the repository fails: one code per kind of error, and nothing of a bug but its log.

import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import { QueryService } from "../../gen/profusion/v1/query_service_pb.ts";
import { contractRoutes } from "../../src/api/routes.ts";
import { DomainError, type ErrorKind } from "../../src/model/errors.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { profileRecord, stubRepository } from "../support/stub-repository.ts";

function connect(methods: Partial<Repository>) {
  const lines: string[] = [];
  const logger = pino({}, { write: (line) => void lines.push(line) });
  const transport = createRouterTransport(
    contractRoutes(stubRepository(methods), { limits: DEFAULT_LIMITS, logger, version: "test" }),
  );
  return { profiles: createClient(ProfileService, transport), queries: createClient(QueryService, transport), lines };
}

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => expect.fail("the call succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}

describe("errors of the contract", () => {
  const codes: [ErrorKind, Code][] = [
    ["invalid", Code.InvalidArgument],
    ["not-found", Code.NotFound],
    ["conflict", Code.FailedPrecondition],
    ["stale", Code.Aborted],
    ["too-large", Code.ResourceExhausted],
    ["exhausted", Code.ResourceExhausted],
    ["unavailable", Code.Unavailable],
    ["unauthenticated", Code.Unauthenticated],
    ["forbidden", Code.PermissionDenied],
    ["cancelled", Code.Canceled],
  ];
  test.each(codes)("%s has its own code, and keeps its message", async (kind, code) => {
    const { profiles, lines } = connect({
      get: () => Promise.reject(new DomainError(kind, "Cannot do that: do this")),
    });
    const error = await failure(profiles.getProfile({ id: "x" }));
    expect([error.code, error.rawMessage]).toEqual([code, "Cannot do that: do this"]);
    expect(lines).toEqual([]);
  });

  test("a bug says nothing but that it is one, and is logged with its stack and its method", async () => {
    const { profiles, lines } = connect({ get: () => Promise.reject(new TypeError("undefined is not a secret")) });
    const error = await failure(profiles.getProfile({ id: "x" }));
    expect([error.code, error.rawMessage]).toEqual([Code.Internal, "internal error"]);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: 50,
      rpc: "profusion.v1.ProfileService/GetProfile",
      err: { message: "undefined is not a secret" },
    });
  });

  test("a message fits the header in which gRPC carries it", async () => {
    const { profiles } = connect({ get: () => Promise.reject(new DomainError("conflict", "ü".repeat(100_000))) });
    expect((await failure(profiles.getProfile({ id: "x" }))).rawMessage).toBe(`${"ü".repeat(2000)}…`);
  });

  test("a stream that fails is translated too", async () => {
    const { profiles } = connect({ get: () => Promise.reject(new DomainError("not-found", "There is none")) });
    const error = await failure(profiles.downloadProfile({ id: "x" })[Symbol.asyncIterator]().next());
    expect([error.code, error.rawMessage]).toEqual([Code.NotFound, "There is none"]);
  });

  test("a deadline is a deadline, whatever the repository makes of its signal", async () => {
    const { queries } = connect({
      merge: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new DomainError("cancelled", "The caller left")));
        }),
    });
    const selection = { selector: "cpu", interval: { startTime: { seconds: 1n } } };
    const error = await failure(queries.mergeProfiles({ selection }, { timeoutMs: 20 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
  });

  test("a call whose client has left is no bug, however its wait ends", async () => {
    const leaving = new AbortController();
    const { queries, lines } = connect({
      merge: ({ signal }) => {
        leaving.abort();
        return Promise.reject(signal.reason);
      },
    });
    const selection = { selector: "cpu", interval: { startTime: { seconds: 1n } } };
    const error = await failure(queries.mergeProfiles({ selection }, { signal: leaving.signal }));
    expect([error.code, lines]).toEqual([Code.Canceled, []]);
  });

  test("in a batch a bad profile and a bug harm only themselves", async () => {
    const { profiles, lines } = connect({
      push: async ({ service }) => {
        if (service === "bad") throw new DomainError("invalid", "Cannot take it");
        if (service === "bug") throw new TypeError("a secret");
        if (service === "empty") return { state: "empty" };
        return { state: "stored", record: profileRecord({ service }), alreadyExisted: false, warnings: ["a warning"] };
      },
    });
    const services = ["one", "bad", "bug", "empty", "two"];
    const requests = services.map((service) => ({
      metadata: { service, profileType: "cpu" },
      profileBytes: new Uint8Array(1),
    }));
    const { results } = await profiles.batchCreateProfiles({ requests: [...requests, {}] });
    const shown = results.map(({ outcome }) =>
      outcome.case === "error" ? [outcome.value.code, outcome.value.message] : outcome.value?.profile?.service,
    );
    expect(shown).toEqual([
      "one",
      [Code.InvalidArgument, "Cannot take it"],
      [Code.Internal, "internal error"],
      [Code.InvalidArgument, "Cannot store a profile with no samples: there is nothing in it"],
      "two",
      [Code.InvalidArgument, "Cannot store a profile without metadata: name its service and profile_type"],
    ]);
    expect(lines).toHaveLength(1);
  });
});
