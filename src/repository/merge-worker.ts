// Thread entry of merges: a message in, one call down, a message out. Holds this thread's part of each job under way.

import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { toErrorMessage } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { ValueType } from "../model/shape.ts";
import type { BlobSource, Locator } from "../storage/blob-store.ts";
import { openBlobReader } from "../storage/open-blob-reader.ts";
import { looseStartLines } from "./loose-start-lines.ts";
import { type FoldChunk, type JobOptions, MergeJob } from "./merge-job.ts";
import { type PackHandle, rebuildFromPack, selectInPack } from "./pack-reading.ts";
import type { RowQuestion } from "./pack-selection.ts";
import { seriesInPack, startLinesInPack } from "./pack-series.ts";
import { finishPgo, type PgoHalves } from "./pgo/finish.ts";
import { type RankOptions, rank, type WeightedTop } from "./top-ranking.ts";

type Message =
  | { kind: "fold"; requestId: number; options: JobOptions; chunk: FoldChunk }
  | { kind: "part"; requestId: number; options: JobOptions }
  | { kind: "finish"; requestId: number; options: JobOptions; parts: Uint8Array[] }
  | { kind: "select"; requestId: number; pack: PackHandle; question: RowQuestion }
  | { kind: "rebuild"; requestId: number; pack: PackHandle; seq: number; digest: Uint8Array }
  | { kind: "series"; requestId: number; pack: PackHandle; rows: Uint32Array; columns: ValueType[] }
  | { kind: "start-lines"; requestId: number; pack: PackHandle; rows: Uint32Array }
  | { kind: "loose-start-lines"; requestId: number; locators: Locator[] }
  | { kind: "rank"; requestId: number; parts: WeightedTop[]; options: RankOptions }
  | { kind: "pgo"; requestId: number; halves: PgoHalves }
  | { kind: "drop"; jobId: number };

/** Uploads come first. On Linux 0 means the calling thread, elsewhere the process; there the hint is left out. */
if (process.platform === "linux") setPriority(0, 5);

const { source, limits } = workerData as { source: BlobSource; limits: Limits };
const reader = openBlobReader(source);
const jobs = new Map<number, MergeJob>();

parentPort!.on("message", (message: Message) => {
  if (message.kind === "drop") {
    jobs.delete(message.jobId);
    return;
  }
  try {
    const value = answer(message);
    const buffers = transferable(value);
    parentPort!.postMessage({ requestId: message.requestId, value }, buffers);
  } catch (error) {
    parentPort!.postMessage({ requestId: message.requestId, error: toErrorMessage(error) });
  }
});

function answer(message: Exclude<Message, { kind: "drop" }>) {
  if (message.kind === "select") return selectInPack(reader, message.pack, message.question, limits);
  if (message.kind === "rebuild") return rebuildFromPack(reader, message.pack, message.seq, message.digest);
  if (message.kind === "series") return seriesInPack(reader, message.pack, message.rows, message.columns);
  if (message.kind === "start-lines") return startLinesInPack(reader, message.pack, message.rows);
  if (message.kind === "loose-start-lines") return looseStartLines(reader, message.locators, limits);
  if (message.kind === "pgo") return finishPgo(message.halves, limits);
  if (message.kind === "rank") return rank(message.parts, message.options);
  const job = jobs.get(message.options.jobId) ?? new MergeJob(reader, limits, message.options);
  jobs.set(message.options.jobId, job);
  if (message.kind === "fold") return job.fold(message.chunk);
  if (message.kind === "part") return job.part();
  return job.finish(message.parts);
}

/** What is sent whole is given away, where the bytes are not a window on a larger buffer. */
function transferable(value: ReturnType<typeof answer>): ArrayBuffer[] {
  const bytes = value instanceof Uint8Array ? value : value && "gzipped" in value ? value.gzipped : undefined;
  if (bytes === undefined || bytes.byteLength !== bytes.buffer.byteLength) return [];
  return [bytes.buffer as ArrayBuffer];
}
