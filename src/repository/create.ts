// Builds the repository over a catalog and a blob store. src/server.ts chooses the drivers and owns the shutdown.

import { DomainError, type ErrorKind } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { Catalog } from "../storage/catalog.ts";
import type { StoreUploads } from "../storage/store-uploads.ts";
import { deleteOne, deleteSelection, previewDelete } from "./delete.ts";
import { download, getStored, listPage } from "./find.ts";
import { Gate } from "./gate.ts";
import { createIngest } from "./ingest.ts";
import { merge } from "./merge.ts";
import { MergePool } from "./merge-pool.ts";
import { Operations } from "./operations.ts";
import type { PackEvent } from "./pack-event.ts";
import { type OriginalsPolicy, Packer } from "./packer.ts";
import { createPgo } from "./pgo/pgo.ts";
import { type ConfiguredPolicies, createPolicies } from "./pgo/policies.ts";
import { createReleases } from "./pgo/releases.ts";
import { ReadGuard } from "./read-guard.ts";
import { Reclaim } from "./reclaim.ts";
import type { MergeSummary, PackResult, PushOutcome, Repository, VerifyResult } from "./repository.ts";
import { ResultCache } from "./result-cache.ts";
import { top } from "./top.ts";

export interface RepositoryOptions {
  catalog: Catalog;
  blobs: BlobStore;
  /** Writes uploads into both. */
  store: StoreUploads;
  limits: Limits;
  nowNs: () => bigint;
  /** Threads for ingest, and as many for merges. */
  threads: number;
  /** Default: nothing is packed; what is in packs is read. */
  packing?: PackingOptions | undefined;
  /** As of now. Default: none. */
  pgoPolicies?: (() => ConfiguredPolicies) | undefined;
  observe: (event: RepositoryEvent) => void;
}

export interface PackingOptions {
  originals: OriginalsPolicy;
}

/** What a request failed with: a kind of error, or a bug. */
type Failure = ErrorKind | "bug";

/** What happened, for metrics and logs. */
export type RepositoryEvent =
  | {
      kind: "push";
      outcome: PushOutcome["state"] | "repeated" | Failure;
      type: string;
      bytes: number;
      timeReplaced: boolean;
    }
  | { kind: "merge"; outcome: "done" | Failure; inputs: number; durationMs: number }
  | { kind: "delete"; profiles: number }
  | { kind: "reclaim-failed"; message: string; error: unknown }
  | { kind: "release-damage"; message: string }
  | PackEvent;

/** Merges that fold at the same time; each may hold four times limits.resultBytes of tables per thread, so few. */
const MERGES_PER_THREAD = 2;

export function createRepository(options: RepositoryOptions): Repository {
  const { catalog, blobs, store, limits, nowNs, threads, packing, pgoPolicies, observe } = options;
  const reads = new ReadGuard();
  const ingest = createIngest({ store, limits, nowNs, threads });
  const pool = new MergePool(blobs.source(), limits, threads, (name) => blobs.objectReference(name));
  const results = new ResultCache(limits.resultCacheBytes);
  const gate = new Gate(threads * MERGES_PER_THREAD, limits.mergesQueued, "merges");
  const reclaim = new Reclaim({
    catalog,
    blobs,
    reads,
    uploadsSettled: () => ingest.settled(),
    report: (message, error) => observe({ kind: "reclaim-failed", message, error }),
  });
  reclaim.request();
  const packer = new Packer({
    catalog,
    blobs,
    reads,
    reclaim,
    limits,
    nowNs,
    originals: packing?.originals ?? "until-packed",
    forget: (packId) => pool.packs.forget(packId),
    observe,
  });
  const operations = new Operations<PackResult | VerifyResult>(nowNs);
  packer.begin(packing !== undefined);
  const releases = createReleases({
    catalog,
    blobs,
    limits,
    nowNs,
    reportDamage: (message) => observe({ kind: "release-damage", message }),
    reportFailure: (message, error) => observe({ kind: "reclaim-failed", message, error }),
  });
  const policies = createPolicies(catalog, limits, pgoPolicies);
  const pgo = createPgo({ catalog, pool, gate, reads, results, limits, nowNs }, policies, releases);

  function deleted(profiles: number): void {
    observe({ kind: "delete", profiles });
    if (profiles > 0) reclaim.request();
  }

  async function summed<Answer extends { summary: MergeSummary }>(answer: () => Promise<Answer>): Promise<Answer> {
    const startedMs = performance.now();
    const ended = (outcome: "done" | Failure, inputs: number) =>
      observe({ kind: "merge", outcome, inputs, durationMs: performance.now() - startedMs });
    try {
      const done = await answer();
      ended("done", done.summary.merged);
      return done;
    } catch (error) {
      ended(failureOf(error), 0);
      throw error;
    }
  }

  return {
    async push(request) {
      const event = { kind: "push" as const, type: request.type, bytes: request.bytes.length };
      try {
        const outcome = await ingest.push(request);
        const repeated = outcome.state === "stored" && outcome.alreadyExisted;
        const timeReplaced = outcome.state === "stored" && outcome.record.claimedTimeNs !== undefined;
        observe({ ...event, outcome: repeated ? "repeated" : outcome.state, timeReplaced });
        return outcome;
      } catch (error) {
        observe({ ...event, outcome: failureOf(error), timeReplaced: false });
        throw error;
      }
    },
    get: (id) => getStored(catalog, id),
    download: (id) => download({ catalog, blobs, pool, reads }, id),
    list: (request) => listPage(catalog, request, limits),
    merge: (request) => summed(() => merge({ catalog, blobs, pool, gate, reads, results, limits }, request)),
    top: (request) => summed(() => top({ catalog, pool, gate, reads, results, limits }, request)),
    async delete(id) {
      await deleteOne(catalog, id);
      deleted(1);
    },
    previewDelete: (selection) => previewDelete(catalog, selection),
    async deleteSelection(selection, etag) {
      const profiles = await deleteSelection(catalog, selection, etag);
      deleted(profiles);
      return profiles;
    },
    services: (query) => catalog.services(query),
    types: (query) => catalog.types(query),
    labelNames: (query) => catalog.labelNames(query),
    labelValues: (labelName, query) => catalog.labelValues(labelName, query),
    series: (query) => catalog.series(query),
    async status() {
      const [{ profiles, series, services, sizeBytes }, packs] = await Promise.all([
        catalog.statistics(),
        catalog.packStatistics(),
      ]);
      const isPacking = packing !== undefined;
      return {
        profiles,
        series,
        services,
        originalBytes: sizeBytes,
        packs,
        packing: { isPacking, ...packer.status() },
      };
    },
    usage: () => catalog.usage(),
    releases,
    pgo: { ...pgo, profile: (question) => summed(() => pgo.profile(question)) },
    startPack() {
      if (packing === undefined) throw new DomainError("conflict", "Cannot pack: packing is switched off");
      return operations.startAnew("pack", (tell) => packer.packNow(tell));
    },
    startVerify: () =>
      operations.start("verify", async (tell) => ({ ...(await packer.verify(tell)), ...(await releases.verify()) })),
    operation: (id, maxWaitMs) => operations.get(id, maxWaitMs),
    ready() {
      try {
        blobs.checkSpace();
        return { ready: true, reason: "" };
      } catch (error) {
        if (error instanceof DomainError) return { ready: false, reason: error.message };
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await ingest[Symbol.asyncDispose]();
      await releases.idle();
      await packer.stop();
      await reclaim.stop();
      await pool[Symbol.asyncDispose]();
    },
  };
}

function failureOf(error: unknown): Failure {
  return error instanceof DomainError ? error.kind : "bug";
}
