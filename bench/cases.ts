// The rows of the benchmark, in the order in which they run.

import type { Row } from "./measurement.ts";
import { ingest } from "./rows/ingest.ts";
import { ingestBesideMerges } from "./rows/ingest-beside-merges.ts";
import { listPages } from "./rows/list-pages.ts";
import { mergeOneWorkerHeavy, mergeOneWorkerLight } from "./rows/merge-one-worker.ts";
import { mergeOverHttpHeavy, mergeOverHttpLight } from "./rows/merge-over-http.ts";
import { startToReady } from "./rows/start-to-ready.ts";

export const ROWS: readonly Row[] = [
  mergeOneWorkerLight,
  mergeOneWorkerHeavy,
  mergeOverHttpLight,
  mergeOverHttpHeavy,
  ingest,
  ingestBesideMerges,
  listPages,
  startToReady,
];
