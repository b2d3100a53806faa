// Thread entry of ingest: a message in, one call down for each upload, a message out.

import { parentPort, workerData } from "node:worker_threads";
import { toErrorMessage } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { PrepareAnswer, RawUpload } from "./ingest-pool.ts";
import { prepareUpload, scrubUpload } from "./prepare-upload.ts";

const { limits } = workerData as { limits: Limits };

parentPort!.on("message", ({ requestId, uploads }: { requestId: number; uploads: RawUpload[] }) => {
  const value = uploads.map(prepare);
  const transfer = value.flatMap((answer) => ("error" in answer ? [] : [answer.bytes.buffer]));
  parentPort!.postMessage({ requestId, value }, transfer);
});

function prepare({ bytes, type, scrub }: RawUpload): PrepareAnswer {
  try {
    const stored = scrub ? scrubUpload(bytes, limits) : bytes;
    return { ...prepareUpload(stored, type, limits), bytes: stored };
  } catch (error) {
    // Not left to the collector, see withInflated; the bytes were sent here for good.
    bytes.buffer.transfer(0);
    return { error: toErrorMessage(error) };
  }
}
