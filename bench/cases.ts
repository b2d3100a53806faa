// The rows of the benchmark, in the order in which they run.

import type { Row } from "./measurement.ts";
import { cliHelp } from "./rows/cli-help.ts";
import { cliList } from "./rows/cli-list.ts";
import { cliPush } from "./rows/cli-push.ts";
import { downloadPacked } from "./rows/download-packed.ts";
import { ingest } from "./rows/ingest.ts";
import { ingestBesideMerges } from "./rows/ingest-beside-merges.ts";
import { ingestForeign } from "./rows/ingest-foreign.ts";
import { listPages } from "./rows/list-pages.ts";
import { mergeDayByLabel } from "./rows/merge-day-by-label.ts";
import { mergeLooseWorkers } from "./rows/merge-loose-workers.ts";
import { mergeMonth } from "./rows/merge-month.ts";
import { mergeOneWorkerHeavy, mergeOneWorkerLight } from "./rows/merge-one-worker.ts";
import { mergeOverHttpHeavy, mergeOverHttpLight } from "./rows/merge-over-http.ts";
import { mergePackedDay, mergePackedHour } from "./rows/merge-packed.ts";
import { packSize } from "./rows/pack-size.ts";
import { packing } from "./rows/packing.ts";
import { pgoGain } from "./rows/pgo-gain.ts";
import { pgoProfile } from "./rows/pgo-profile.ts";
import { selfProfile } from "./rows/self-profile.ts";
import { startToReady } from "./rows/start-to-ready.ts";

export const ROWS: readonly Row[] = [
  mergeOneWorkerLight,
  mergeOneWorkerHeavy,
  mergeOverHttpLight,
  mergeOverHttpHeavy,
  mergeLooseWorkers,
  mergePackedHour,
  mergePackedDay,
  mergeDayByLabel,
  mergeMonth,
  packSize,
  packing,
  downloadPacked,
  pgoProfile,
  ingest,
  ingestBesideMerges,
  ingestForeign,
  cliList,
  cliPush,
  listPages,
  startToReady,
  selfProfile,
  pgoGain,
  cliHelp,
];
