// Thread entry of ingest: a message in, one call down, a message out.

import { toErrorMessage } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { prepareUpload } from "./prepare-upload.ts";

export interface IngestTask {
  bytes: Uint8Array;
  type: string;
  limits: Limits;
}

export default function run({ bytes, type, limits }: IngestTask) {
  try {
    return { prepared: prepareUpload(bytes, type, limits) };
  } catch (error) {
    return { error: toErrorMessage(error) };
  }
}
