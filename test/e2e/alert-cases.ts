// Of each alert a course of events at which it fires and one at which it does not, in promtool's notation of series: a+bxn is a, and n more,
// each larger by b. A step is five minutes; the last of them is looked at.

type Series = Record<string, string>;

export interface AlertCase {
  alert: string;
  fires: Series;
  silent: Series;
}

const HOUR = 12;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** A rate or a value for `steps`, and another one after it. */
const rising = (by: number, steps: number) => `0+${by}x${steps}`;
const staying = (value: number, steps: number) => `${value}x${steps}`;
const jumping = (before: number, steps: number, after: number, rest: number) => `${before}x${steps} ${after}x${rest}`;
const bending = (by: number, steps: number, later: number, rest: number) =>
  `0+${by}x${steps} ${by * steps + later}+${later}x${rest}`;

export const ALERT_CASES: AlertCase[] = [
  { alert: "ProfusionDown", fires: { 'up{job="profusion"}': "0x3" }, silent: { 'up{job="profusion"}': "1x3" } },
  {
    alert: "ProfusionRefusesUploads",
    fires: { 'profusion_pushes_total{outcome="exhausted"}': rising(1, 12) },
    silent: { 'profusion_pushes_total{outcome="invalid"}': rising(1, 12) },
  },
  {
    alert: "ProfusionBadUploads",
    fires: {
      'profusion_pushes_total{outcome="invalid"}': rising(20, 40),
      'profusion_pushes_total{outcome="stored"}': rising(80, 40),
    },
    silent: {
      'profusion_pushes_total{outcome="invalid"}': rising(5, 40),
      'profusion_pushes_total{outcome="stored"}': rising(80, 40),
    },
  },
  {
    alert: "ProfusionNoUploads",
    fires: { profusion_pushed_bytes_total: staying(7, 30) },
    silent: { profusion_pushed_bytes_total: rising(1, 30) },
  },
  {
    alert: "ProfusionClocksWrong",
    fires: { profusion_replaced_times_total: rising(1, 40) },
    silent: { profusion_replaced_times_total: staying(5, 40) },
  },
  {
    alert: "ProfusionErrors",
    fires: { 'profusion_http_requests_total{code="500"}': rising(1, 12) },
    silent: { 'profusion_http_requests_total{code="400"}': rising(1, 12) },
  },
  {
    alert: "ProfusionMergesFail",
    fires: { 'profusion_merges_total{outcome="bug"}': rising(1, 12) },
    silent: { 'profusion_merges_total{outcome="invalid"}': rising(1, 12) },
  },
  {
    alert: "ProfusionMergesSlow",
    fires: { profusion_merge_seconds_total: rising(60, 20), profusion_merges_total: rising(10, 20) },
    silent: { profusion_merge_seconds_total: rising(40, 20), profusion_merges_total: rising(10, 20) },
  },
  {
    alert: "ProfusionPackingBehind",
    fires: { profusion_pack_backlog_seconds: staying(30_000, 20) },
    silent: { profusion_pack_backlog_seconds: staying(4_000, 20) },
  },
  {
    alert: "ProfusionPackingFails",
    fires: { profusion_pack_failures_total: rising(1, 15) },
    silent: { profusion_pack_failures_total: `0x10 1x5` },
  },
  {
    alert: "ProfusionCannotPack",
    fires: { 'profusion_pack_refused_profiles_total{reason="differs"}': `0x10 1x5` },
    silent: { 'profusion_pack_refused_profiles_total{reason="differs"}': staying(4, 15) },
  },
  {
    alert: "ProfusionManySeries",
    fires: { profusion_series: staying(600_000, 20) },
    silent: { profusion_series: staying(400_000, 20) },
  },
  {
    alert: "ProfusionEventLoopBusy",
    fires: { nodejs_eventloop_lag_p99_seconds: staying(0.5, 6) },
    silent: { nodejs_eventloop_lag_p99_seconds: staying(0.02, 6) },
  },
  {
    alert: "ProfusionUploadsSlow",
    fires: durations("profusion_http_request_duration_seconds", 'method="POST",route="/api/0/profiles"', 90),
    // A merge may take its time, and one upload in a thousand too.
    silent: {
      ...durations(
        "profusion_http_request_duration_seconds",
        'method="POST",route="/profusion.v1.QueryService/Merge"',
        0,
      ),
      ...durations("profusion_http_request_duration_seconds", 'method="POST",route="/api/0/profiles"', 100),
    },
  },
  {
    alert: "ProfusionTrafficJumped",
    fires: {
      profusion_http_request_bytes_total: bending(3e8, WEEK, 2e9, 30),
      profusion_http_response_bytes_total: rising(1e7, WEEK + 31),
    },
    silent: {
      profusion_http_request_bytes_total: bending(3e8, WEEK, 9e8, 30),
      profusion_http_response_bytes_total: rising(1e7, WEEK + 31),
    },
  },
  {
    alert: "ProfusionMergesWide",
    fires: { profusion_merged_profiles_total: rising(600_000, 40), profusion_merges_total: rising(10, 40) },
    silent: { profusion_merged_profiles_total: rising(400_000, 40), profusion_merges_total: rising(10, 40) },
  },
  {
    alert: "ProfusionManyDeleted",
    fires: { profusion_deleted_profiles_total: `0x20 30000x3`, profusion_profiles: `100000x20 70000x3` },
    silent: { profusion_deleted_profiles_total: `0x20 9000x3`, profusion_profiles: `100000x20 91000x3` },
  },
  {
    alert: "ProfusionStorageGrows",
    fires: { profusion_stored_bytes: staying(1e9, WEEK + 90), profusion_packs_bytes: jumping(2e10, WEEK, 4e10, 90) },
    silent: { profusion_stored_bytes: staying(1e9, WEEK + 90), profusion_packs_bytes: jumping(2e10, WEEK, 2.5e10, 90) },
  },
  {
    alert: "ProfusionManyLoose",
    fires: { profusion_loose_profiles: staying(700_000, 90) },
    silent: { profusion_loose_profiles: staying(300_000, 90) },
  },
  {
    alert: "ProfusionPacksSmall",
    fires: { profusion_packs: staying(9_000, DAY + 5), profusion_packs_profiles: staying(90_000, DAY + 5) },
    silent: { profusion_packs: staying(9_000, DAY + 5), profusion_packs_profiles: staying(900_000, DAY + 5) },
  },
  {
    alert: "ProfusionPackingSlow",
    fires: {
      'profusion_pack_seconds_total{reason="hour"}': rising(300, 160),
      'profusion_packed_profiles_total{reason="hour"}': rising(1_000, 160),
    },
    silent: {
      'profusion_pack_seconds_total{reason="hour"}': rising(20, 160),
      'profusion_packed_profiles_total{reason="hour"}': rising(1_000, 160),
    },
  },
  {
    alert: "ProfusionPacksRewritten",
    fires: {
      'profusion_packed_profiles_total{reason="hour"}': rising(100, DAY + 80),
      'profusion_packed_profiles_total{reason="late"}': rising(200, DAY + 80),
    },
    silent: {
      'profusion_packed_profiles_total{reason="hour"}': rising(100, DAY + 80),
      'profusion_packed_profiles_total{reason="late"}': rising(20, DAY + 80),
    },
  },
  {
    alert: "ProfusionPacksKeepBytes",
    fires: {
      profusion_pack_kept_profiles_total: rising(80, DAY + 80),
      'profusion_packed_profiles_total{reason="hour"}': rising(100, DAY + 80),
    },
    silent: {
      profusion_pack_kept_profiles_total: rising(10, DAY + 80),
      'profusion_packed_profiles_total{reason="hour"}': rising(100, DAY + 80),
    },
  },
  {
    alert: "ProfusionPackSetsStuck",
    fires: { profusion_pack_failed_sets: staying(1, DAY + 2) },
    silent: { profusion_pack_failed_sets: jumping(1, DAY - 10, 0, 12) },
  },
  {
    alert: "ProfusionProfefeClientsGone",
    fires: { profefe_api_requests_total: bending(10, DAY, 0, 40) },
    silent: { profefe_api_requests_total: bending(10, DAY, 1, 40) },
  },
  {
    alert: "ProfusionProfefeSlow",
    fires: durations("profefe_api_request_duration_seconds", 'method="GET"', 90, 60),
    silent: durations("profefe_api_request_duration_seconds", 'method="GET"', 100, 60),
  },
  {
    alert: "ProfusionProfefeBodiesLarge",
    fires: {
      profefe_api_request_size_bytes_sum: rising(2e8, 40),
      profefe_api_request_size_bytes_count: rising(10, 40),
    },
    silent: {
      profefe_api_request_size_bytes_sum: rising(1e7, 40),
      profefe_api_request_size_bytes_count: rising(10, 40),
      profefe_api_response_size_bytes_sum: rising(2e8, 40),
      profefe_api_response_size_bytes_count: rising(10, 40),
    },
  },
  {
    alert: "ProfusionSeriesGrow",
    fires: { profusion_series: jumping(20_000, DAY, 50_000, 20) },
    silent: { profusion_series: jumping(20_000, DAY, 30_000, 20) },
  },
  {
    alert: "ProfusionRestarts",
    fires: { 'process_start_time_seconds{job="profusion"}': "1x3 2x3 3x3 4x2" },
    silent: { 'process_start_time_seconds{job="profusion"}': "1x6 2x6" },
  },
  {
    alert: "ProfusionFilesRunOut",
    fires: {
      'process_open_fds{job="profusion"}': staying(900, 4),
      'process_max_fds{job="profusion"}': staying(1024, 4),
    },
    silent: {
      'process_open_fds{job="profusion"}': staying(90, 4),
      'process_max_fds{job="profusion"}': staying(1024, 4),
    },
  },
];

/** Of a hundred in each step so many are below 100 ms, and the others up to `slow` seconds. */
function durations(name: string, labels: string, fast: number, slow = 5): Series {
  const bucket = (le: string, by: number) => [`${name}_bucket{${labels},le="${le}"}`, rising(by, 20)];
  return Object.fromEntries([bucket("0.1", fast), bucket(String(slow), 100), bucket("+Inf", 100)]);
}
