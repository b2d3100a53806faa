// The life of a push: check names, prepare in a worker, append bytes, commit rows, acknowledge. Bytes before row, always.

import { Piscina } from "piscina";
import { fromErrorMessage } from "../model/errors.ts";
import { canonicalLabels, checkService } from "../model/labels.ts";
import type { Limits } from "../model/limits.ts";
import { profileId } from "../model/profile-id.ts";
import { checkTypeName } from "../model/profile-type.ts";
import { checkSenderId } from "../model/sender-id.ts";
import type { Shape } from "../model/shape.ts";
import { formatTime, resolveProfileTime } from "../model/time.ts";
import type { ProfileSummary } from "../pprof/summary.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { Catalog, NewProfile } from "../storage/catalog.ts";
import { GroupCommit } from "./group-commit.ts";
import type { IngestTask } from "./ingest-worker.ts";
import type { PreparedUpload } from "./prepare-upload.ts";
import type { PushOutcome, PushRequest } from "./repository.ts";
import { THREAD_RESOURCES } from "./thread.ts";

export interface IngestDependencies {
  blobs: BlobStore;
  catalog: Catalog;
  limits: Limits;
  nowNs: () => bigint;
  threads: number;
}

export interface Ingest extends AsyncDisposable {
  push(request: PushRequest): Promise<PushOutcome>;
  /** Resolves when the uploads that have bytes now have their rows, or have failed. */
  settled(): Promise<void>;
}

/** One namespace until there are several; it is part of every id, so that ids stay when there are. */
const TENANT = "default";
export function createIngest({ blobs, catalog, limits, nowNs, threads }: IngestDependencies): Ingest {
  const commits = new GroupCommit(blobs, catalog, limits);
  const workers = new Piscina({
    filename: new URL("./ingest-worker.ts", import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    resourceLimits: THREAD_RESOURCES,
  });

  async function prepare(bytes: Uint8Array, type: string): Promise<PreparedUpload> {
    // A copy, and lent for good: the original is appended while the worker may still hold its own.
    const sent = new Uint8Array(bytes); // not slice(): a Buffer's shares its memory
    const task: IngestTask = { bytes: sent, type, limits };
    const answer = await workers.run(task, { transferList: [sent.buffer] });
    if (answer.error) throw fromErrorMessage(answer.error);
    return answer.prepared;
  }

  async function push(request: PushRequest): Promise<PushOutcome> {
    const service = checkService(request.service, limits);
    const type = checkTypeName(request.type);
    const { labels, warnings } = canonicalLabels(request.labels, limits);
    checkSenderId("request id", request.requestId, limits);
    checkSenderId("external id", request.externalId, limits);
    const receivedNs = nowNs();
    const { digest, summary } = await prepare(request.bytes, type);
    if (summary?.sampleCount === 0) return { state: "empty" };

    const time = resolveProfileTime(summary?.timeNs ?? 0n, request.clientTimeNs, receivedNs);
    if (time.claimedNs !== undefined && time.source !== "profile") {
      warnings.push(
        `the profile's time ${describeClaim(time.claimedNs)} cannot be believed: it was replaced by ${formatTime(time.timeNs)}`,
      );
    }
    for (const { type: column, wrapped } of summary?.sampleTypes ?? []) {
      if (wrapped) warnings.push(`the total of column ${column} does not fit 64 bits: it wrapped`);
    }
    const profile: Omit<NewProfile, "locator"> = {
      id: profileId({ tenant: TENANT, service, type, labels, timeNs: time.timeNs, digest }),
      service,
      type,
      labels,
      timeNs: time.timeNs,
      timeSource: time.source,
      ...(time.claimedNs !== undefined && { claimedTimeNs: time.claimedNs }),
      durationNs: summary?.durationNs ?? 0n,
      receivedNs,
      sampleCount: summary?.sampleCount ?? 0,
      digest,
      ...(summary && { shape: shapeOf(summary) }),
      totals: summary?.sampleTypes.map(({ total }) => total) ?? [],
      sampleLabelKeys: summary?.sampleLabelKeys ?? [],
      ...(request.externalId !== undefined && { externalId: request.externalId }),
      ...(request.submitter !== undefined && { submitter: request.submitter }),
      ...(request.requestId !== undefined && { requestId: request.requestId }),
    };
    const { record, alreadyExisted } = await commits.add(profile, request.bytes, summary ? "profile" : "opaque");
    return { state: "stored", record, alreadyExisted, warnings };
  }

  return {
    push,
    settled: () => commits.settled(),
    async [Symbol.asyncDispose]() {
      await commits.idle();
      await workers.close();
    },
  };
}

function shapeOf({ sampleTypes, periodType }: ProfileSummary): Shape {
  return { columns: sampleTypes.map(({ type, unit }) => ({ type, unit })), periodType };
}

function describeClaim(claimedNs: bigint): string {
  const isPrintable = claimedNs > -62_135_596_800_000_000_000n && claimedNs < 253_402_300_800_000_000_000n;
  return isPrintable ? formatTime(claimedNs) : `${claimedNs} ns`;
}
