import { hash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { IngestPool } from "../../src/repository/ingest-pool.ts";
import { buildProfile } from "../support/profile-builder.ts";

const pool = new IngestPool(DEFAULT_LIMITS, 2);
afterAll(() => pool[Symbol.asyncDispose]());

const profile = (at: number) => buildProfile({ timeNs: BigInt(at), samples: [{ stack: [`f${at}`], values: [at, 1] }] });
const gzipped = (raw: Uint8Array) => new Uint8Array(gzipSync(raw));

describe("IngestPool", () => {
  test("answers every upload with its own outcome, whatever travels with it", async () => {
    const uploads = Array.from({ length: 60 }, (_, at) => ({ raw: profile(at + 1), isDamaged: at % 7 === 3 }));
    const outcomes = await Promise.allSettled(
      uploads.map(({ raw, isDamaged }) => {
        const bytes = gzipped(raw);
        return pool.prepare(isDamaged ? bytes.slice(0, -1) : bytes, "cpu");
      }),
    );
    for (const [at, outcome] of outcomes.entries()) {
      const { raw, isDamaged } = uploads[at]!;
      if (isDamaged) expect(outcome).toMatchObject({ status: "rejected", reason: { kind: "invalid" } });
      else {
        expect(outcome).toMatchObject({ status: "fulfilled", value: { summary: { timeNs: BigInt(at + 1) } } });
        const { value } = outcome as PromiseFulfilledResult<{ digest: Uint8Array }>;
        expect(Buffer.from(value.digest).toString("hex")).toBe(hash("sha256", raw, "hex"));
      }
    }
  });

  test("takes empty bodies and bodies larger than a thread's share", async () => {
    const empty = Array.from({ length: 20 }, () => pool.prepare(new Uint8Array(0), "trace"));
    const large = Array.from({ length: 5 }, (_, at) => pool.prepare(new Uint8Array(300_000).fill(at), "trace"));
    const digests = (await Promise.all([...empty, ...large])).map(({ digest }) => Buffer.from(digest).toString("hex"));
    expect(new Set(digests).size).toBe(6);
  });

  test("takes the bytes away from the caller", async () => {
    const bytes = gzipped(profile(1));
    await pool.prepare(bytes, "cpu");
    expect(bytes.length).toBe(0);
  });
});
