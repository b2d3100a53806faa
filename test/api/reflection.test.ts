// Server reflection, over a real HTTP/2 socket: a client without the .proto files can learn every message, in both versions.

import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServerReflection, type ServerReflectionResponse } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflection as ServerReflectionAlpha,
  type ServerReflectionResponse as ServerReflectionResponseAlpha,
} from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { contractHandler } from "../../src/api/contract-handler.ts";
import { OPEN_ACCESS } from "../../src/http/access.ts";
import { ByteBudget } from "../../src/http/byte-budget.ts";
import { createMetrics } from "../../src/http/metrics.ts";
import { createRequestHandler } from "../../src/http/request-handler.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { serveHandler, silentLogger, type TestServer } from "../http/with-listener.ts";
import { stubRepository } from "../support/stub-repository.ts";

let server: TestServer;

beforeAll(async () => {
  const budget = new ByteBudget(1_000_000, 1000);
  const rpc = contractHandler(stubRepository({}), {
    limits: DEFAULT_LIMITS,
    logger: silentLogger,
    version: "test",
    access: OPEN_ACCESS,
    budget,
    answers: budget,
  });
  server = await serveHandler(
    createRequestHandler({ routes: [], rpc, logger: silentLogger, metrics: createMetrics() }),
  );
});
afterAll(() => server[Symbol.asyncDispose]());

type Question = {
  case: "listServices" | "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType";
  value: string;
};
type Answer = (ServerReflectionResponse | ServerReflectionResponseAlpha)["messageResponse"];

describe.each([ServerReflection, ServerReflectionAlpha])("$typeName", (service) => {
  async function ask(...questions: (Question | { case?: undefined })[]): Promise<Answer[]> {
    const client = createClient(service, createGrpcTransport({ baseUrl: server.url }));
    async function* requests() {
      for (const messageRequest of questions) yield { host: "h", messageRequest };
    }
    const answers: Answer[] = [];
    for await (const { messageResponse, originalRequest, validHost } of client.serverReflectionInfo(requests())) {
      expect([originalRequest?.host, validHost]).toEqual(["h", "h"]);
      answers.push(messageResponse);
    }
    return answers;
  }

  async function registryOf(question: Question) {
    const [answer] = await ask(question);
    if (answer?.case !== "fileDescriptorResponse") throw new Error(`answered ${answer?.case}`);
    const files = answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files.toReversed() }));
    return { first: files[0]!.name, registry };
  }

  test("lists every service", async () => {
    const [answer] = await ask({ case: "listServices", value: "" });
    expect(answer?.value).toMatchObject({
      service: [
        { name: "profusion.v1.ProfileService" },
        { name: "profusion.v1.QueryService" },
        { name: "profusion.v1.PgoService" },
        { name: "profusion.v1.AdminService" },
        { name: "grpc.health.v1.Health" },
        { name: "grpc.reflection.v1.ServerReflection" },
        { name: "grpc.reflection.v1alpha.ServerReflection" },
      ],
    });
  });

  test("answers a service's file with all that it imports, and its methods keep their options", async () => {
    const { first, registry } = await registryOf({ case: "fileContainingSymbol", value: "profusion.v1.QueryService" });
    expect(first).toBe("profusion/v1/query_service.proto");
    const found = registry.getService("profusion.v1.QueryService");
    expect(found?.method.mergeProfiles?.idempotency).toBe(1);
    expect(registry.getMessage("profusion.v1.MergeSummary")?.field.etag?.number).toBe(10);
    expect(registry.getMessage("google.protobuf.Timestamp")).toBeDefined();
  });

  test.each([
    ["profusion.v1.ProfileService.GetProfile", "profusion/v1/profile_service.proto"],
    ["profusion.v1.Selection.strategy", "profusion/v1/profile.proto"],
    ["profusion.v1.SKIP_REASON_LIMIT", "profusion/v1/profile.proto"],
    ["profusion.v1.UploadProfileRequest.part", "profusion/v1/profile_service.proto"],
    ["google.protobuf.Duration", "google/protobuf/duration.proto"],
    ["grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"],
  ])("finds the file of %s", async (symbol, file) => {
    expect((await registryOf({ case: "fileContainingSymbol", value: symbol })).first).toBe(file);
  });

  test("answers a file by its name, and unknown things with an error that does not end the stream", async () => {
    const answers = await ask(
      { case: "fileByFilename", value: "nobody.proto" },
      { case: "fileContainingSymbol", value: "profusion.v1.Nobody" },
      { case: "allExtensionNumbersOfType", value: "profusion.v1.Profile" },
      { case: undefined },
      { case: "fileByFilename", value: "profusion/v1/profile.proto" },
    );
    expect(answers).toMatchObject([
      { value: { errorCode: Code.NotFound, errorMessage: "There is no nobody.proto" } },
      { value: { errorCode: Code.NotFound } },
      { value: { baseTypeName: "profusion.v1.Profile", extensionNumber: [] } },
      { value: { errorCode: Code.InvalidArgument } },
      { case: "fileDescriptorResponse" },
    ]);
  });
});
