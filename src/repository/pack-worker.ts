// Thread entry of the packer: a message in, one step down, a message out. One job at a time.

import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { toErrorMessage } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { BlobSource, ObjectReference } from "../storage/blob-store.ts";
import { openBlobReader } from "../storage/open-blob-reader.ts";
import { PackCheck } from "./pack-check.ts";
import { PackJob, type PackJobOptions } from "./pack-job.ts";
import type { PackPlace } from "./pack-place.ts";

export type PackMessage =
  | { kind: "begin"; options: PackJobOptions }
  | { kind: "add" }
  | { kind: "finish" }
  | { kind: "verify"; reference: ObjectReference }
  | { kind: "check"; reference: ObjectReference; place: PackPlace }
  | { kind: "end" };

/** Everything else comes first. On Linux 0 means the calling thread, elsewhere the process; there the hint is left out. */
if (process.platform === "linux") setPriority(0, 19);

const { source, limits } = workerData as { source: BlobSource; limits: Limits };
const reader = openBlobReader(source);
let job: PackJob | undefined;
let check: PackCheck | undefined;

parentPort!.on("message", ({ requestId, ...message }: PackMessage & { requestId: number }) => {
  try {
    const value = answer(message);
    const buffers = value && "bytes" in value && value.bytes ? [value.bytes.buffer] : [];
    parentPort!.postMessage({ requestId, value }, buffers);
  } catch (error) {
    parentPort!.postMessage({ requestId, error: toErrorMessage(error) });
  }
});

function answer(message: PackMessage) {
  switch (message.kind) {
    case "begin":
      end();
      job = new PackJob(reader, limits, message.options);
      return undefined;
    case "add":
      return job!.add();
    case "finish":
      return job!.finish();
    case "verify":
      return job!.verify(message.reference);
    case "check":
      check ??= new PackCheck(reader, message.reference, message.place);
      return checked(check);
    case "end":
      end();
      return undefined;
  }
}

function checked(current: PackCheck) {
  const step = current.step();
  if (step.isDone) {
    current[Symbol.dispose]();
    check = undefined;
  }
  return step;
}

function end(): void {
  job?.[Symbol.dispose]();
  job = undefined;
}
