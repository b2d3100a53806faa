// What the repository tells of itself → metrics and log lines. Its own code knows neither.

import type { Logger } from "pino";
import type { Metrics } from "./http/metrics.ts";
import type { RepositoryEvent } from "./repository/create.ts";
import type { Catalog } from "./storage/catalog.ts";

/** Types that a metric names; users bring any others, and a label must stay bounded. */
const NAMED_TYPES = new Set(["cpu", "heap", "allocs", "block", "mutex", "goroutine", "threadcreate", "wall", "trace"]);

export function repositoryMetrics(
  metrics: Metrics,
  catalog: Catalog,
  logger: Logger,
): (event: RepositoryEvent) => void {
  const pushes = metrics.counter("profusion_pushes_total", "Profiles sent, by what became of them.", [
    "type",
    "outcome",
  ]);
  const pushedBytes = metrics.counter("profusion_pushed_bytes_total", "Bytes of profiles that were stored.");
  const replacedTimes = metrics.counter(
    "profusion_replaced_times_total",
    "Profiles whose own time could not be believed.",
  );
  const merges = metrics.counter("profusion_merges_total", "Merges, by what became of them.", ["outcome"]);
  const mergedProfiles = metrics.counter("profusion_merged_profiles_total", "Profiles folded into merges.");
  const mergeSeconds = metrics.counter("profusion_merge_seconds_total", "Time from a merge's request to its answer.");
  const deletedProfiles = metrics.counter("profusion_deleted_profiles_total", "Profiles deleted by users.");
  const statistics = () => catalog.statistics();
  metrics.gauge("profusion_profiles", "Profiles in the catalog.", async () => (await statistics()).profiles);
  metrics.gauge("profusion_series", "Series in the catalog.", async () => (await statistics()).series);
  metrics.gauge(
    "profusion_stored_bytes",
    "Bytes of live profiles as sent.",
    async () => (await statistics()).sizeBytes,
  );

  return (event) => {
    switch (event.kind) {
      case "push":
        pushes({ type: NAMED_TYPES.has(event.type) ? event.type : "other", outcome: event.outcome });
        if (event.outcome === "stored") pushedBytes({}, event.bytes);
        if (event.timeReplaced) replacedTimes();
        break;
      case "merge":
        merges({ outcome: event.outcome });
        mergedProfiles({}, event.inputs);
        mergeSeconds({}, event.durationMs / 1000);
        break;
      case "delete":
        deletedProfiles({}, event.profiles);
        break;
      case "reclaim-failed":
        logger.error({ err: event.error }, event.message);
        break;
    }
  };
}
