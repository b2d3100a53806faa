// What a PGO profile is held against: each thing that is looked at, its bounds and why. How it is judged by them is src/pgo/judge.ts; policies
// may set other bounds.

import { DomainError } from "./errors.ts";
import { quote } from "./text.ts";

export interface PgoFindingRule {
  readonly unit: "count" | "seconds" | "share" | "";
  /** The bounds are upper ones. */
  readonly lessIsBetter?: true;
  /** Absent: every value is. */
  readonly usableFrom?: number;
  /** Absent: every usable value is. */
  readonly goodFrom?: number;
  /** The value with which the profile is of no use at all; no threshold changes that. */
  readonly unusableAt?: number;
  /** Why it matters and what to do, in one sentence. */
  readonly reason: string;
}

const DAY_SECONDS = 86_400;

/** The shares of agreement were measured on nine CPU profiles of ten seconds each of four programs, bench/testdata/seed. */
export const PGO_FINDINGS = {
  samples: {
    unit: "count",
    usableFrom: 1000,
    goodFrom: 10_000,
    unusableAt: 0,
    reason:
      "Go takes 100 samples a second of a busy core, and with fewer than 1000 most call sites are there by chance: profile longer, or more instances.",
  },
  edges: {
    unit: "count",
    unusableAt: 0,
    reason:
      "Without calls from one function to another, as the two innermost frames tell them, the compiler finds nothing.",
  },
  cpu_time: {
    unit: "seconds",
    goodFrom: 1,
    reason:
      "Samples of a profile that tells no CPU time may count waiting, which the compiler would take for work: send CPU profiles.",
  },
  without_start_line: {
    unit: "share",
    lessIsBetter: true,
    usableFrom: 0.5,
    goodFrom: 0.05,
    unusableAt: 1,
    reason:
      "Calls are matched by their line from the start of the function: profile programs built by Go 1.20 or newer, and do not symbolize their profiles again.",
  },
  named: {
    unit: "share",
    usableFrom: 0.5,
    goodFrom: 0.9,
    unusableAt: 0,
    reason: "Calls of functions without names, such as those of C libraries, match nothing in the program.",
  },
  wall_time: {
    unit: "seconds",
    usableFrom: 10,
    goodFrom: 300,
    reason: "A few seconds show what happened to go on just then; ten profiles of thirty seconds are five minutes.",
  },
  utilization: {
    unit: "",
    usableFrom: 0.01,
    goodFrom: 0.1,
    reason: "In an idle process the runtime's own work is hot, not the program's: profile instances under load.",
  },
  instances: {
    unit: "count",
    usableFrom: 1,
    goodFrom: 3,
    reason: "One instance may be idle or serve one kind of request: profile several.",
  },
  hours_of_day: {
    unit: "count",
    usableFrom: 1,
    goodFrom: 4,
    reason: "Load changes over the day: take profiles at several hours of it.",
  },
  newest_version: {
    unit: "share",
    goodFrom: 0.5,
    reason: "Functions that were edited since a profile was taken lose their calls: profile what is deployed now.",
  },
  go_versions: {
    unit: "count",
    lessIsBetter: true,
    goodFrom: 2,
    reason: "Programs built by several versions of Go have several standard libraries, whose lines differ.",
  },
  age: {
    unit: "seconds",
    lessIsBetter: true,
    usableFrom: 30 * DAY_SECONDS,
    goodFrom: 7 * DAY_SECONDS,
    reason: "The source moves away from a profile: take new ones.",
  },
  stability: {
    unit: "share",
    usableFrom: 0.5,
    goodFrom: 0.8,
    reason:
      "Two random halves of the profiles are to agree on what is hot; halves of 500 samples do on some 60 %: take more of them.",
  },
  drift: {
    unit: "share",
    lessIsBetter: true,
    goodFrom: 0.3,
    reason: "What is hot is not what it was in the last release: publish a new one, or find out what has changed.",
  },
  skipped: {
    unit: "share",
    lessIsBetter: true,
    usableFrom: 0.5,
    goodFrom: 0.1,
    reason: "Profiles that the compiler could not read were left out: find out who sends them.",
  },
} as const satisfies Record<string, PgoFindingRule>;

/** Bounds of one finding that replace its own. */
interface Bounds {
  readonly finding: string;
  readonly usableFrom?: number;
  readonly goodFrom?: number;
}

export type PgoFindingName = keyof typeof PGO_FINDINGS;

/** Throws `invalid` for a finding that there is none of, for bounds that are no numbers, and for a good that is not usable. */
export function checkPgoThresholds(thresholds: readonly Bounds[]): void {
  for (const { finding, usableFrom, goodFrom } of thresholds) {
    const refuse = (rule: string): never => {
      throw new DomainError("invalid", `Cannot use a threshold for ${quote(finding)}: ${rule}`);
    };
    const rule = ruleOf(finding) ?? refuse(`findings are ${Object.keys(PGO_FINDINGS).join(", ")}`);
    for (const bound of [usableFrom, goodFrom]) {
      if (bound !== undefined && (!Number.isFinite(bound) || bound < 0)) refuse("a bound is a number, 0 or more");
    }
    const usable = usableFrom ?? rule.usableFrom;
    const good = goodFrom ?? rule.goodFrom;
    if (usable === undefined || good === undefined) continue;
    if (rule.lessIsBetter ? good > usable : good < usable)
      refuse(`good (${good}) is to be no less than usable (${usable})`);
  }
}

function ruleOf(finding: string): PgoFindingRule | undefined {
  return Object.hasOwn(PGO_FINDINGS, finding) ? PGO_FINDINGS[finding as PgoFindingName] : undefined;
}
