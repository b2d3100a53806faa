import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { manifestInputs } from "../../src/repository/pgo/manifest-inputs.ts";
import { type OpenedRepository, openRepository } from "../support/open-repository.ts";
import { buildProfile } from "../support/profile-builder.ts";

const COUNT = 1_100;

let opened: OpenedRepository;
beforeEach(async () => {
  opened = await openRepository();
});
afterEach(() => opened[Symbol.asyncDispose]());

test("manifestInputs() tells of each profile, in the order given, and refuses where one was deleted meanwhile", async () => {
  const push = async (at: number) => {
    const samples = [{ stack: ["main"], values: [1, 10] }];
    const bytes = gzipSync(buildProfile({ timeNs: 1_789_000_000_000_000_000n + BigInt(at), durationNs: 1n, samples }));
    const labels = [{ name: "at", value: `${at}` }];
    const outcome = await opened.repository.push({ service: "auth", type: "cpu", labels, bytes });
    if (outcome.state !== "stored") throw new Error("not stored");
    return outcome.record;
  };
  const records = await Promise.all(Array.from({ length: COUNT }, (_, at) => push(at)));
  const asked = records.toReversed().map(({ id }, at) => ({ id, weight: 1 + (at % 100) }));
  const told = await manifestInputs(opened.catalog, asked);
  const expected = records.toReversed().map(({ id, digest, timeNs, labels }, at) => {
    return { id, digest: new Uint8Array(digest), timeNs, labels, weight: 1 + (at % 100) };
  });
  expect(told.map((input) => ({ ...input, digest: new Uint8Array(input.digest) }))).toEqual(expected);
  await opened.repository.delete(records[1_034]!.id);
  await expect(manifestInputs(opened.catalog, asked)).rejects.toMatchObject({
    kind: "conflict",
    message: expect.stringContaining(records[1_034]!.id),
  });
});
