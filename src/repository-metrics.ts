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
  const packed = metrics.counter(
    "profusion_packed_profiles_total",
    "Profiles written into packs, those of packs that were replaced too.",
    ["reason"],
  );
  const packSeconds = metrics.counter("profusion_pack_seconds_total", "Time that pack sets took.", ["reason"]);
  const refused = metrics.counter(
    "profusion_pack_refused_profiles_total",
    "Profiles that cannot be packed, and stay as they were sent.",
    ["reason"],
  );
  const keptProfiles = metrics.counter(
    "profusion_pack_kept_profiles_total",
    "Profiles written into packs with their bytes, since the form in which they were written is not known.",
  );
  let backlogSeconds = 0;
  metrics.gauge(
    "profusion_pack_backlog_seconds",
    "How long the earliest profile that is due to be packed has waited since its receipt.",
    () => backlogSeconds,
  );
  let failedSets = 0;
  metrics.gauge(
    "profusion_pack_failed_sets",
    "Pack sets that could not be made, and wait to be tried again, ever longer.",
    () => failedSets,
  );
  const failedPacks = metrics.counter(
    "profusion_pack_failures_total",
    "Pack sets that could not be made, and are tried again.",
  );
  const packs = () => catalog.packStatistics();
  metrics.gauge("profusion_packs", "Files of packed profiles.", async () => (await packs()).packs);
  metrics.gauge("profusion_packs_bytes", "Bytes of packs.", async () => (await packs()).sizeBytes);
  metrics.gauge("profusion_packs_profiles", "Profiles in packs.", async () => (await packs()).profiles);
  const statistics = () => catalog.statistics();
  metrics.gauge(
    "profusion_loose_profiles",
    "Profiles in no pack.",
    async () => (await statistics()).profiles - (await packs()).profiles,
  );
  metrics.gauge("profusion_profiles", "Profiles in the catalog.", async () => (await statistics()).profiles);
  metrics.gauge("profusion_series", "Series in the catalog.", async () => (await statistics()).series);
  metrics.gauge(
    "profusion_stored_bytes",
    "Bytes of live profiles that are kept as they were sent.",
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
      case "packed":
        packed({ reason: event.reason }, event.profiles);
        packSeconds({ reason: event.reason }, event.durationMs / 1000);
        keptProfiles({}, event.kept);
        logger.info({ ...event }, "packed");
        break;
      case "pack-backlog":
        backlogSeconds = event.seconds;
        failedSets = event.failed;
        break;
      case "pack-refused":
        refused({ reason: event.reason }, event.profiles);
        logger.warn({ profiles: event.profiles }, `profiles cannot be packed: ${event.message}`);
        break;
      case "pack-failed":
        failedPacks();
        logger.error({ err: event.error }, event.message);
        break;
      case "pack-damage":
      case "release-damage":
        logger.error(event.message);
        break;
      case "reclaim-failed":
        logger.error({ err: event.error }, event.message);
        break;
    }
  };
}
