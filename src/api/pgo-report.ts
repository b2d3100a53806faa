// The report on a PGO profile as the contract has it.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type * as contract from "../../gen/profusion/v1/pgo_service_pb.ts";
import type { PgoMade } from "../repository/pgo/make.ts";
import { durationOf, intervalMessage } from "./convert.ts";
import { VERDICTS } from "./pgo-releases.ts";

/** Of google.protobuf.Duration: 10 000 years. */
const LONGEST_NS = 315_576_000_000n * 1_000_000_000n;
const MOST_SHARES = 20;
const MOST_MODES = 100;

export function reportMessage({ report, modes }: PgoMade): MessageInitShape<typeof contract.PgoReportSchema> {
  const { verdict, findings, facts } = report;
  const { content, inputs } = facts!;
  const { cpuNs = 0n, wallNs = 0n, earliestStartNs, latestStartNs, stability, drift } = inputs;
  return {
    verdict: VERDICTS[verdict],
    findings: findings.map((finding) => ({ ...finding, verdict: VERDICTS[finding.verdict] })),
    sampleCount: inputs.samples ?? content.samples,
    cpuTime: durationOf(atMost(cpuNs)),
    wallTime: durationOf(atMost(wallNs)),
    utilization: wallNs > 0n ? Number(cpuNs) / Number(wallNs) : 0,
    instanceCount: BigInt(inputs.instances ?? 0),
    hoursOfDay: [...(inputs.hoursOfDay ?? [])],
    versions: (inputs.versions ?? []).slice(0, MOST_SHARES),
    goVersions: (inputs.goVersions ?? []).slice(0, MOST_SHARES),
    edgeCount: BigInt(content.edges),
    hotEdgeCount: BigInt(content.hotEdges),
    totalWeight: content.totalWeight,
    shareWithoutStartLine: content.shareWithoutStartLine,
    ...(stability && { stability }),
    ...(drift && { drift: { jaccard: drift.jaccard, weightOverlap: drift.weightOverlap } }),
    latestRelease: drift?.release ?? "",
    ...(earliestStartNs !== undefined &&
      latestStartNs !== undefined && { covered: intervalMessage({ startNs: earliestStartNs, endNs: latestStartNs }) }),
    modes: modes.slice(0, MOST_MODES),
  };
}

/** What senders say of durations may sum to anything. */
function atMost(durationNs: bigint): bigint {
  if (durationNs < 0n) return 0n;
  return durationNs > LONGEST_NS ? LONGEST_NS : durationNs;
}
