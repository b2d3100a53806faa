// A PGO policy ↔ the contract's, side by side. What is not set is the default; what it may be is src/model/pgo-policy.ts's.

import type { MessageInitShape } from "@bufbuild/protobuf";
import * as contract from "../../gen/profusion/v1/pgo_service_pb.ts";
import { DomainError } from "../model/errors.ts";
import { DEFAULT_PGO_POLICY, type PgoPolicy } from "../model/pgo-policy.ts";
import { NS_PER_SECOND } from "../model/time.ts";
import { durationOf, namedValue } from "./convert.ts";

const ALL_LOCATIONS = -1;
const WEIGHTINGS = new Map<number, PgoPolicy["weighting"]>([
  [contract.PgoWeighting.UNSPECIFIED, DEFAULT_PGO_POLICY.weighting],
  [contract.PgoWeighting.INSTANCE_HOUR, "instance-hour"],
  [contract.PgoWeighting.NONE, "none"],
]);

/** Checked by nobody yet, but for what the model has no word for. */
export function policyOf(message: contract.PgoPolicy): PgoPolicy {
  const { window, keepLocations, minSamples } = message;
  const or = <Value>(value: Value, none: Value, fallback: Value) => (value === none ? fallback : value);
  if (keepLocations === ALL_LOCATIONS + 2 || keepLocations < ALL_LOCATIONS) {
    throw new DomainError(
      "invalid",
      `Cannot keep ${keepLocations} locations: it is -1 for all, or 2 or more, since the compiler looks at two`,
    );
  }
  return {
    name: message.name,
    selector: message.selector || DEFAULT_PGO_POLICY.selector,
    windowNs: window ? window.seconds * NS_PER_SECOND + BigInt(window.nanos) : DEFAULT_PGO_POLICY.windowNs,
    newestVersions: message.newestVersions,
    minSamples: minSamples === undefined ? DEFAULT_PGO_POLICY.minSamples : Number(minSamples),
    minProfiles: or(message.minProfiles, 0, DEFAULT_PGO_POLICY.minProfiles),
    minInstances: or(message.minInstances, 0, DEFAULT_PGO_POLICY.minInstances),
    weighting: namedValue(WEIGHTINGS, message.weighting, "weighting"),
    topByCpu: message.topByCpu,
    modeLabel: message.modeLabel,
    drop: message.drop,
    noInline: message.noInline,
    prune: message.prune.map(({ drop, keep }) => ({ drop, ...(keep !== "" && { keep }) })),
    keepLocations: keepLocations === ALL_LOCATIONS ? 0 : or(keepLocations, 0, DEFAULT_PGO_POLICY.keepLocations),
    thresholds: message.thresholds.map(({ finding, usableFrom, goodFrom }) => ({
      finding,
      ...(usableFrom !== undefined && { usableFrom }),
      ...(goodFrom !== undefined && { goodFrom }),
    })),
  };
}

/** All of it, defaults too. No window: all of time. */
export function policyMessage(policy: PgoPolicy): MessageInitShape<typeof contract.PgoPolicySchema> {
  const { windowNs, keepLocations } = policy;
  return {
    name: policy.name,
    selector: policy.selector,
    ...(windowNs !== undefined && { window: durationOf(windowNs) }),
    newestVersions: policy.newestVersions,
    minSamples: BigInt(policy.minSamples),
    minProfiles: policy.minProfiles,
    minInstances: policy.minInstances,
    weighting: policy.weighting === "none" ? contract.PgoWeighting.NONE : contract.PgoWeighting.INSTANCE_HOUR,
    topByCpu: policy.topByCpu,
    modeLabel: policy.modeLabel,
    drop: [...policy.drop],
    noInline: [...policy.noInline],
    prune: policy.prune.map(({ drop, keep = "" }) => ({ drop, keep })),
    keepLocations: keepLocations === 0 ? ALL_LOCATIONS : keepLocations,
    thresholds: policy.thresholds.map((threshold) => ({ ...threshold })),
  };
}
