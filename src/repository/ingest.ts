// The life of a push: check names, prepare in a worker, append bytes, commit rows, acknowledge. Bytes before row, always.

import { DomainError } from "../model/errors.ts";
import { canonicalLabels, checkService } from "../model/labels.ts";
import type { Limits } from "../model/limits.ts";
import { profileId } from "../model/profile-id.ts";
import type { ProfileRecord } from "../model/profile-record.ts";
import { aggregationOf, checkTypeName } from "../model/profile-type.ts";
import { checkSenderId } from "../model/sender-id.ts";
import type { Column, Shape, ValueType } from "../model/shape.ts";
import { quote } from "../model/text.ts";
import { formatTime, resolveProfileTime } from "../model/time.ts";
import type { NewProfile } from "../storage/catalog.ts";
import type { StoreUploads } from "../storage/store-uploads.ts";
import { GroupCommit } from "./group-commit.ts";
import { IngestPool } from "./ingest-pool.ts";
import type { UploadSummary } from "./prepare-upload.ts";
import type { PushOutcome, PushRequest } from "./repository.ts";

export interface IngestDependencies {
  store: StoreUploads;
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
export function createIngest({ store, limits, nowNs, threads }: IngestDependencies): Ingest {
  const pool = new IngestPool(limits, threads);
  const commits = new GroupCommit(store, limits, () => pool.caughtUp());

  async function push(request: PushRequest): Promise<PushOutcome> {
    const service = checkService(request.service, limits);
    const type = checkTypeName(request.type);
    const { labels, warnings } = canonicalLabels(request.labels, limits);
    checkSenderId("request id", request.requestId, limits);
    checkSenderId("external id", request.externalId, limits);
    const receivedNs = nowNs();
    // A copy, for it goes from thread to thread: to the one that checks it, back, and to the one that writes it.
    const sent = new Uint8Array(request.bytes); // not slice(): a Buffer's shares its memory
    const { bytes, digest, summary } = await pool.prepare(sent, type, request.scrub);
    const shape = summary && shapeOf(type, summary);
    request.judge?.(shape);
    if (summary?.sampleCount === 0) return { state: "empty" };

    const time = resolveProfileTime(summary?.timeNs ?? 0n, request.clientTimeNs, receivedNs, request.clientTimeFirst);
    if (time.claimedNs !== undefined && time.source !== "profile") {
      const claimant = summary?.timeNs ? "profile" : "sender";
      warnings.push(
        `the ${claimant}'s time ${describeClaim(time.claimedNs)} cannot be believed: that of the ${time.source === "client" ? "sender" : "receipt"} is taken`,
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
      ...(shape && { shape }),
      totals: summary?.sampleTypes.map(({ total }) => total) ?? [],
      sampleLabelKeys: summary?.sampleLabelKeys ?? [],
      ...(request.externalId !== undefined && { externalId: request.externalId }),
      ...(request.submitter !== undefined && { submitter: request.submitter }),
      ...(request.requestId !== undefined && { requestId: request.requestId }),
    };
    const { record, alreadyExisted } = await commits.add({ profile, bytes }, summary ? "profile" : "opaque");
    if (alreadyExisted && request.requestId !== undefined) checkSameRequest(request.requestId, record, profile);
    return { state: "stored", record, alreadyExisted, warnings };
  }

  return {
    push,
    settled: () => commits.settled(),
    async [Symbol.asyncDispose]() {
      await commits.idle();
      await pool[Symbol.asyncDispose]();
    },
  };
}

/** A key that comes back with another profile would else seem to store it. */
function checkSameRequest(requestId: string, first: ProfileRecord, sent: Omit<NewProfile, "locator">): void {
  const isSame =
    Buffer.compare(first.digest, sent.digest) === 0 &&
    first.service === sent.service &&
    first.type === sent.type &&
    JSON.stringify(first.labels) === JSON.stringify(sent.labels);
  if (isSame) return;
  throw new DomainError(
    "conflict",
    `Cannot take request id ${quote(requestId)} for this profile: it named another one, ${first.id}; a retry sends the same profile`,
  );
}

function shapeOf(profileType: string, { sampleTypes, periodType }: UploadSummary): Shape {
  const columnOf = ({ type, unit }: ValueType): Column => {
    const aggregation = aggregationOf(profileType, { type, unit });
    return { type, unit, ...(aggregation !== "delta" && { aggregation }) };
  };
  return { columns: sampleTypes.map(columnOf), periodType };
}

function describeClaim(claimedNs: bigint): string {
  const isPrintable = claimedNs > -62_135_596_800_000_000_000n && claimedNs < 253_402_300_800_000_000_000n;
  return isPrintable ? formatTime(claimedNs) : `${claimedNs} ns`;
}
