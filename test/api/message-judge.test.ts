// Requests that are small on the wire and large when decoded: refused before they are decoded, in every form; sound ones pass.

import { gzipSync } from "node:zlib";
import { create, type DescMessage, ScalarType, toBinary, toJsonString } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  BatchCreateProfilesRequestSchema,
  CreateProfileRequestSchema,
  ProfileService,
} from "../../gen/profusion/v1/profile_service_pb.ts";
import { MergeProfilesRequestSchema, QueryService } from "../../gen/profusion/v1/query_service_pb.ts";
import { judgedMessages } from "../../src/api/judged-messages.ts";
import { messageJudge } from "../../src/api/message-judge.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { measuredPieces, onePerByte } from "../support/piece-memory.ts";
import { Random } from "../support/random.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const { createProfile, batchCreateProfiles } = ProfileService.method;
const { mergeProfiles } = QueryService.method;
const CREATE = "/profusion.v1.ProfileService/CreateProfile";
const MERGE = "/profusion.v1.QueryService/MergeProfiles";
const REFUSAL = /so many parts/;

/** A field in two bytes, tag and length or value, many times. */
const LABELS = field(1, Buffer.alloc(100_000, Buffer.from([0x1a, 0])));
const COLUMNS = Buffer.alloc(100_000, Buffer.from([0x12, 0]));
const LABELS_AS_JSON = Buffer.from(`{"metadata":{"labels":[${"{},".repeat(50_000)}{}]}}`);
const UNKNOWN = Buffer.alloc(100_000, Buffer.from([0x38, 0]));
const COLUMNS_AS_JSON = `{"sampleTypes":[${"{},".repeat(50_000)}{}]}`;

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}

function field(number: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([number * 8 + 2, ...varint(payload.length)]), payload]);
}

function frame(message: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

let server: ServerForTest;
beforeAll(async () => {
  server = await runServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe("many empty parts are refused", () => {
  const gzip = { "content-encoding": "gzip" };
  test.each<[string, string, Uint8Array, Record<string, string>?]>([
    ["as protobuf", "application/proto", LABELS],
    ["as protobuf in gzip", "application/proto", gzipSync(LABELS), gzip],
    ["as JSON", "application/json", LABELS_AS_JSON],
    ["as JSON in gzip", "Application/JSON", gzipSync(LABELS_AS_JSON), gzip],
    ["in a frame", "application/grpc-web+proto", frame(LABELS)],
    ["in a gzipped frame", "application/grpc-web+proto", frame(gzipSync(LABELS), 1), { "grpc-encoding": "gzip" }],
    ["in a frame of JSON", "application/grpc-web+json", frame(LABELS_AS_JSON)],
    ["where the parts are unknown", "application/proto", UNKNOWN],
    ["behind a number that has the length of a text", "application/proto", field(1, field(4, field(1, UNKNOWN)))],
    ["where the message is set again and again", "application/proto", Buffer.alloc(100_000, Buffer.from([0x0a, 0]))],
  ])("%s", async (_, type, body, headers = {}) => {
    const answer = await fetch(server.url + CREATE, {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body,
    });
    expect(decodeURIComponent(await answer.text())).toMatch(REFUSAL);
    expect(answer.status).toBe(type.includes("grpc") ? 200 : 429);
  });

  test.each<[string, Record<string, string>]>([
    ["JSON", { encoding: "json", message: COLUMNS_AS_JSON }],
    ["JSON in base64", { encoding: "json", base64: "1", message: Buffer.from(COLUMNS_AS_JSON).toString("base64url") }],
    ["protobuf", { encoding: "proto", base64: "1", message: COLUMNS.toString("base64url") }],
    [
      "JSON in gzip",
      { encoding: "json", base64: "1", compression: "gzip", message: gzipSync(COLUMNS_AS_JSON).toString("base64url") },
    ],
    [
      "protobuf in gzip",
      { encoding: "proto", base64: "1", compression: "gzip", message: gzipSync(COLUMNS).toString("base64url") },
    ],
  ])("in the query of a GET as %s", async (_, query) => {
    const answer = await fetch(`${server.url}${MERGE}?${new URLSearchParams(query)}`);
    expect([answer.status, await answer.text()]).toEqual([429, expect.stringMatching(REFUSAL)]);
  });
});

describe("the largest sound requests pass", () => {
  const labels = Array.from({ length: 64 }, (_, at) => ({ name: `name${at}`, value: ',[{"\\'.repeat(3) }));
  const metadata = { service: "s", profileType: "cpu", labels, startTime: { seconds: 1n, nanos: 1 }, requestId: "r" };
  const create1 = { metadata, profileBytes: new Uint8Array(100) };
  const ids = Array<string>(3000).fill("01ks000000000000000000000a");
  test.each([
    ["a profile", createProfile, create(CreateProfileRequestSchema, create1)],
    ["a batch", batchCreateProfiles, create(BatchCreateProfilesRequestSchema, { requests: Array(1000).fill(create1) })],
    ["ids", mergeProfiles, create(MergeProfilesRequestSchema, { selection: { profileIds: ids } })],
  ] as const)("%s", (_, method, message) => {
    const schema = method.input as DescMessage;
    messageJudge(method, false, DEFAULT_LIMITS).judge(toBinary(schema, message));
    messageJudge(method, true, DEFAULT_LIMITS).judge(Buffer.from(toJsonString(schema, message)));
  });

  test("a profile's bytes do not count, its texts do", () => {
    const { judge } = messageJudge(createProfile, false, { ...DEFAULT_LIMITS, requestBytes: 1000 });
    judge(field(2, Buffer.alloc(100_000)));
    expect(() => judge(field(1, field(1, Buffer.alloc(1000))))).toThrow(REFUSAL);
  });
});

test("what cannot be read passes, for the decoder to say so", () => {
  const { judge } = messageJudge(createProfile, false, DEFAULT_LIMITS);
  for (const bytes of [[0x0a], [0x0a, 200], [0], [0x0f], [0x0a, 5, 0x1a, 9, 1], Array(30).fill(0xff)])
    judge(Uint8Array.from(bytes));
});

test("requests have only the kinds of fields that the judge can read", () => {
  const seen = new Set<DescMessage>();
  const check = (message: DescMessage) => {
    if (seen.has(message)) return;
    seen.add(message);
    for (const each of message.fields) {
      if (each.message) check(each.message);
      const isVarint = each.fieldKind === "enum" || VARINTS.has(each.scalar as ScalarType);
      const isText = each.scalar === ScalarType.STRING || each.scalar === ScalarType.BYTES;
      expect(each.message !== undefined || isText || (isVarint && each.fieldKind !== "list"), `${each}`).toBe(true);
      expect(each.fieldKind, `${each}`).not.toBe("map");
    }
  };
  for (const service of [ProfileService, QueryService, ServerReflection])
    for (const method of service.methods) check(method.input);
  expect(seen.size).toBeGreaterThan(20);
});

const VARINTS = new Set([ScalarType.INT32, ScalarType.INT64, ScalarType.UINT32, ScalarType.UINT64, ScalarType.BOOL]);

describe("bodies on their way to the decoder", () => {
  const judge = messageJudge(createProfile, false, DEFAULT_LIMITS);
  const FRAMED = new Headers({ "content-type": "application/grpc" });

  test.each(["application/proto", "application/grpc"])(
    "in pieces of one byte take little more memory (%s)",
    async (type) => {
      const count = 200_000;
      let grownBytes = Number.NaN;
      const pieces = measuredPieces(onePerByte(count), (bytes) => {
        grownBytes = bytes;
      });
      // Bytes of a frame that is not complete: 0 1 2 3 4 says 16 909 060 of them.
      for await (const _ of judgedMessages(pieces, new Headers({ "content-type": type }), judge));
      expect(grownBytes).toBeLessThan(count * 20);
    },
  );

  test("come out as they went in, in whole frames, however they were cut", async () => {
    const seed = Date.now() >>> 0;
    const random = new Random(seed);
    const frames = Array.from({ length: 100 }, () => frame(field(2, Buffer.alloc(random.between(0, 5000), 7))));
    const whole = Buffer.concat(frames);
    const ends = new Set<number>([0]);
    for (const { length } of frames) ends.add(Math.max(...ends) + length);
    async function* cut() {
      for (let at = 0; at < whole.length; ) {
        const length = random.chance(0.5) ? random.between(1, 20) : random.between(1, 20_000);
        yield whole.subarray(at, at + length);
        at += length;
      }
    }
    let at = 0;
    for await (const piece of judgedMessages(cut(), FRAMED, judge)) {
      expect(whole.subarray(at, at + piece.length).equals(piece), `seed ${seed}`).toBe(true);
      at += piece.length;
      expect(ends.has(at), `seed ${seed}`).toBe(true);
    }
    expect(at).toBe(whole.length);
  });

  test("are not gathered beyond the largest message", async () => {
    let pulled = 0;
    async function* endless(first: Uint8Array) {
      yield first;
      for (;;) yield Buffer.alloc(++pulled && 1000);
    }
    const small = { ...judge, maxBytes: 10_000 };
    const unary = judgedMessages(endless(Buffer.alloc(1)), new Headers({ "content-type": "application/proto" }), small);
    await expect(unary.next()).rejects.toThrow(/at most \d+ bytes/);
    const framed = judgedMessages(endless(Buffer.from([0, 0, 0, 0x27, 0x11])), FRAMED, small);
    await expect(framed.next()).rejects.toThrow(/at most \d+ bytes/);
    expect(pulled).toBe(10);
    const announced = judgedMessages(
      endless(Buffer.alloc(1)),
      new Headers({ "content-type": "application/proto", "content-length": "10001" }),
      small,
    );
    await expect(announced.next()).rejects.toThrow(/at most \d+ bytes/);
    expect(pulled).toBe(10);
  });
});
