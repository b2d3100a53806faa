// A repository of which a test gives only the methods it needs; the others fail. For errors and waits that the real one cannot be made to show.

import type { ProfileRecord } from "../../src/model/profile-record.ts";
import type { MergeAnswer, Repository } from "../../src/repository/repository.ts";

export function stubRepository(methods: Partial<Repository>): Repository {
  return new Proxy(methods as Repository, {
    get(target, name) {
      if (name in target) return target[name as keyof Repository];
      throw new Error(`this test's repository has no ${String(name)}()`);
    },
  });
}

export function profileRecord(fields: Partial<ProfileRecord> = {}): ProfileRecord {
  return {
    id: "01ks000000000000000000000a",
    service: "auth",
    type: "cpu",
    labels: [{ name: "version", value: "1.0.0" }],
    timeNs: 1_790_000_000_123_456_789n,
    timeSource: "profile",
    durationNs: 10_000_000_001n,
    receivedNs: 1_790_000_010_000_000_000n,
    sizeBytes: 3,
    sampleCount: 2,
    digest: new Uint8Array(32).fill(7),
    shape: {
      columns: [
        { type: "samples", unit: "count" },
        { type: "cpu", unit: "nanoseconds" },
      ],
      periodType: { type: "cpu", unit: "nanoseconds" },
    },
    totals: [2n, 2n ** 62n + 1n],
    seq: 1,
    ...fields,
  };
}

/** A merge that makes room for its answer, as the repository does. */
export function mergesTo(bytes: Uint8Array): Repository["merge"] {
  return async ({ reserve }) => {
    await reserve?.(bytes.length);
    return mergeAnswer(bytes);
  };
}

export function mergeAnswer(bytes: Uint8Array, summary: Partial<MergeAnswer["summary"]> = {}): MergeAnswer {
  return {
    bytes,
    summary: {
      matched: 1,
      merged: 1,
      skipped: [],
      packs: 0,
      loose: 1,
      sampleTypes: [],
      algorithmVersion: 1,
      etag: "abc-m1",
      warnings: [],
      ...summary,
    },
  };
}
