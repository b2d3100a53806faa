// Builds the repository over a catalog and a blob store. src/server.ts chooses the drivers and owns the shutdown.

import { DomainError } from "../model/errors.ts";
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
import { ReadGuard } from "./read-guard.ts";
import { Reclaim } from "./reclaim.ts";
import type { PushOutcome, Repository } from "./repository.ts";

export interface RepositoryOptions {
  catalog: Catalog;
  blobs: BlobStore;
  /** Writes uploads into both. */
  store: StoreUploads;
  limits: Limits;
  nowNs: () => bigint;
  /** Threads for ingest, and as many for merges. */
  threads: number;
  observe: (event: RepositoryEvent) => void;
}

/** What happened, for metrics and logs. */
export type RepositoryEvent =
  | {
      kind: "push";
      outcome: PushOutcome["state"] | "repeated" | "failed";
      type: string;
      bytes: number;
      timeReplaced: boolean;
    }
  | { kind: "merge"; outcome: "done" | "failed"; inputs: number; durationMs: number }
  | { kind: "delete"; profiles: number }
  | { kind: "reclaim-failed"; message: string; error: unknown };

/** Merges that fold at the same time; each may hold four times limits.resultBytes of tables per thread, so few. */
const MERGES_PER_THREAD = 2;

export function createRepository(options: RepositoryOptions): Repository {
  const { catalog, blobs, store, limits, nowNs, threads, observe } = options;
  const reads = new ReadGuard();
  const ingest = createIngest({ store, limits, nowNs, threads });
  const pool = new MergePool(blobs.source(), limits, threads);
  const gate = new Gate(threads * MERGES_PER_THREAD, limits.mergesQueued, "merges");
  const reclaim = new Reclaim({
    catalog,
    blobs,
    reads,
    uploadsSettled: () => ingest.settled(),
    report: (message, error) => observe({ kind: "reclaim-failed", message, error }),
  });
  reclaim.request();

  function deleted(profiles: number): void {
    observe({ kind: "delete", profiles });
    if (profiles > 0) reclaim.request();
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
        observe({ ...event, outcome: "failed", timeReplaced: false });
        throw error;
      }
    },
    get: (id) => getStored(catalog, id),
    download: (id) => download(catalog, blobs, reads, id),
    list: (request) => listPage(catalog, request, limits),
    async merge(request) {
      const startedMs = performance.now();
      const ended = (outcome: "done" | "failed", inputs: number) =>
        observe({ kind: "merge", outcome, inputs, durationMs: performance.now() - startedMs });
      try {
        const answer = await merge({ catalog, blobs, pool, gate, reads, limits }, request);
        ended("done", answer.summary.merged);
        return answer;
      } catch (error) {
        ended("failed", 0);
        throw error;
      }
    },
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
      await reclaim.stop();
      await pool[Symbol.asyncDispose]();
    },
  };
}
