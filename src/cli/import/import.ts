// Options and a store → an import from its first look to its report. The options themselves are src/cli/import.ts.

import { canonicalLabels, checkService } from "../../model/labels.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { checkTypeName } from "../../model/profile-type.ts";
import { connect } from "../connection.ts";
import type { ImportOptions } from "../import.ts";
import { untilSignal } from "../interruption.ts";
import { Journal } from "../push/journal.ts";
import { ProgressBar } from "../push/progress-bar.ts";
import { DEFAULT_PARALLEL, DEFAULT_WAIT_MS } from "../sending-options.ts";
import { printReport } from "./print-report.ts";
import { ImportReport } from "./report.ts";
import { type ImportNaming, runImport } from "./run.ts";
import type { Store } from "./store.ts";
import { surveyStore } from "./survey.ts";

export async function importFrom(openStore: () => Promise<Store> | Store, options: ImportOptions): Promise<void> {
  const naming = namingOf(options);
  const { server, profiles: client } = await connect(options);
  await using store = await openStore();
  const { dryRun = false } = options;
  const journal = Journal.open("import", { store: store.url, server, ...naming }, options.resume || dryRun);
  const interruption = untilSignal();
  const { signal } = interruption;
  const { total, sums } = await surveyStore(store, naming.layout, signal).catch((error) => {
    interruption.pass();
    throw error;
  });
  const report = new ImportReport();
  const bar = process.stderr.isTTY && !options.quiet ? new ProgressBar(process.stderr) : undefined;
  const settled = () => bar?.draw({ done: report.settled, total, refused: report.refused.length });
  settled();
  const { parallel = DEFAULT_PARALLEL, retryFor: waitMs = DEFAULT_WAIT_MS } = options;
  const sending = { client, server, journal, parallel, waitMs, dryRun, signal };
  const stop = await runImport({ store, naming, sums, report, settled, ...sending });
  if (stop === undefined && !dryRun) journal.remove();
  bar?.clear();
  printReport(report, { store: store.url, server, total, dryRun, stop, journalFault: journal.fault }, options);
  interruption.pass();
}

/** What every profile would be refused for is said once. */
function namingOf({ layout, service, type, label: labels = [] }: ImportOptions): ImportNaming {
  if (service !== undefined) checkService(service, DEFAULT_LIMITS);
  if (type !== undefined) checkTypeName(type);
  canonicalLabels(labels, DEFAULT_LIMITS);
  return { layout, service, type, labels };
}
