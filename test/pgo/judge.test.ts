// What is thought of a PGO profile, by its numbers.

import { describe, expect, test } from "vitest";
import { checkPgoThresholds, PGO_FINDINGS, type PgoFindingRule } from "../../src/model/pgo-findings.ts";
import { isAtLeast } from "../../src/model/pgo-policy.ts";
import type { PgoContent } from "../../src/pgo/content.ts";
import { judge, type PgoInputs } from "../../src/pgo/judge.ts";
import { reportText, verdictLine } from "../../src/pgo/report-text.ts";

const SECOND_NS = 1_000_000_000n;

const content: PgoContent = {
  samples: 20_000n,
  cpuNs: 200n * SECOND_NS,
  edges: 1247,
  hotEdges: 356,
  totalWeight: 30_000n,
  shareWithoutStartLine: 0,
  namedShare: 1,
  leftOut: { negative: 0, withoutStartLine: 0, unreadableName: 0 },
};

const inputs: PgoInputs = {
  profiles: 60,
  wallNs: 1800n * SECOND_NS,
  instances: 4,
  hoursOfDay: [7, 8, 12, 20, 21],
  versions: [
    { value: "1.2.0", share: 0.8 },
    { value: "", share: 0.2 },
  ],
  goVersions: [{ value: "go1.26.1", share: 1 }],
  newestVersionShare: 0.8,
  earliestStartNs: 1_790_000_000n * SECOND_NS,
  latestStartNs: 1_790_090_000n * SECOND_NS,
  ageNs: 7200n * SECOND_NS,
  stability: { jaccard: 0.7, weightOverlap: 0.95, seed: "ab12" },
  drift: { jaccard: 0.6, weightOverlap: 0.9, release: "2026-11-20" },
  skipped: [{ reason: "no-start-line", profiles: 2 }],
};

function finding(name: string, facts: { content?: Partial<PgoContent>; inputs?: PgoInputs }) {
  const report = judge({ content: { ...content, ...facts.content }, inputs: { ...inputs, ...facts.inputs } });
  return report.findings.find((found) => found.name === name)!;
}

test("a representative profile is good, and each finding has its value, bounds and reason", () => {
  const { verdict, findings } = judge({ content, inputs });
  expect(verdict).toBe("good");
  expect(findings.map(({ name }) => name)).toEqual(Object.keys(PGO_FINDINGS));
  expect(findings.every((found) => found.verdict === "good" && found.reason.endsWith("."))).toBe(true);
  expect(findings[0]).toEqual({
    name: "samples",
    value: 20_000,
    unit: "count",
    verdict: "good",
    usableFrom: 1000,
    goodFrom: 10_000,
    lessIsBetter: false,
    reason: PGO_FINDINGS.samples.reason,
  });
});

test("what is not known is not judged", () => {
  const { verdict, findings } = judge({ content, inputs: {} });
  expect(findings.map(({ name }) => name)).toEqual(["samples", "edges", "cpu_time", "without_start_line", "named"]);
  expect(verdict).toBe("good");
});

test("the verdict is that of the worst finding", () => {
  const verdictOf = (facts: PgoInputs) => judge({ content, inputs: { ...inputs, ...facts } }).verdict;
  expect(verdictOf({ instances: 1 })).toBe("usable");
  expect(verdictOf({ instances: 1, wallNs: 5n * SECOND_NS })).toBe("poor");
  expect(judge({ content: { ...content, edges: 0 }, inputs: { wallNs: SECOND_NS } }).verdict).toBe("unusable");
});

describe("each finding has its bounds", () => {
  test.each([
    ["samples", { content: { samples: 0n } }, "unusable"],
    ["samples", { content: { samples: 999n } }, "poor"],
    ["samples", { content: { samples: 1000n } }, "usable"],
    ["samples", { content: { samples: 10_000n } }, "good"],
    ["samples", { content: { samples: 999_999n }, inputs: { samples: 500n } }, "poor"],
    ["edges", { content: { edges: 0 } }, "unusable"],
    ["cpu_time", { content: { cpuNs: undefined } }, "usable"],
    ["without_start_line", { content: { shareWithoutStartLine: 1 } }, "unusable"],
    ["without_start_line", { content: { shareWithoutStartLine: 0.51 } }, "poor"],
    ["without_start_line", { content: { shareWithoutStartLine: 0.5 } }, "usable"],
    ["without_start_line", { content: { shareWithoutStartLine: 0.05 } }, "good"],
    ["named", { content: { namedShare: 0 } }, "unusable"],
    ["named", { content: { namedShare: 0.3 } }, "poor"],
    ["wall_time", { inputs: { wallNs: 9n * SECOND_NS } }, "poor"],
    ["wall_time", { inputs: { wallNs: 10n * SECOND_NS } }, "usable"],
    ["utilization", { inputs: { cpuNs: SECOND_NS, wallNs: 1000n * SECOND_NS } }, "poor"],
    ["utilization", { inputs: { cpuNs: 50n * SECOND_NS, wallNs: 1000n * SECOND_NS } }, "usable"],
    ["instances", { inputs: { instances: 2 } }, "usable"],
    ["hours_of_day", { inputs: { hoursOfDay: [3] } }, "usable"],
    ["newest_version", { inputs: { newestVersionShare: 0.1 } }, "usable"],
    ["go_versions", { inputs: { goVersions: ["1", "2", "3"].map((value) => ({ value, share: 1 / 3 })) } }, "usable"],
    ["age", { inputs: { ageNs: 8n * 86_400n * SECOND_NS } }, "usable"],
    ["age", { inputs: { ageNs: 31n * 86_400n * SECOND_NS } }, "poor"],
    ["stability", { inputs: { stability: { jaccard: 1, weightOverlap: 0.4, seed: "" } } }, "poor"],
    ["stability", { inputs: { stability: { jaccard: 0, weightOverlap: 0.6, seed: "" } } }, "usable"],
    ["drift", { inputs: { drift: { jaccard: 0, weightOverlap: 0.1, release: "r" } } }, "usable"],
    ["skipped", { inputs: { profiles: 1, skipped: [{ reason: "no-column", profiles: 9 }] } }, "poor"],
    ["skipped", { inputs: { profiles: 8, skipped: [{ reason: "no-column", profiles: 2 }] } }, "usable"],
    ["skipped", { inputs: { profiles: 0, skipped: [] } }, "good"],
  ] as const)("%s, %o: %s", (name, facts, verdict) => {
    expect(finding(name, facts as Parameters<typeof finding>[1]).verdict).toBe(verdict);
  });
});

test("bounds are not worse for good than for usable", () => {
  for (const [name, rule] of Object.entries(PGO_FINDINGS) as [string, PgoFindingRule][]) {
    expect(() => checkPgoThresholds([{ finding: name, ...boundsOf(rule) }]), name).not.toThrow();
  }
});

function boundsOf({ usableFrom, goodFrom }: PgoFindingRule) {
  return { ...(usableFrom !== undefined && { usableFrom }), ...(goodFrom !== undefined && { goodFrom }) };
}

describe("thresholds", () => {
  test("replace bounds by the finding's name, and unusable stays so", () => {
    const of = (samples: bigint, goodFrom: number) =>
      judge({ content: { ...content, samples }, inputs: {} }, [{ finding: "samples", usableFrom: 0, goodFrom }]);
    expect(of(50n, 50).findings[0]).toMatchObject({ verdict: "good", usableFrom: 0, goodFrom: 50 });
    expect(of(50n, 51).verdict).toBe("usable");
    expect(of(0n, 0).verdict).toBe("unusable");
  });

  test.each([
    [{ finding: "sample" }, /findings are samples, edges, cpu_time/],
    [{ finding: "constructor" }, /findings are/],
    [{ finding: "samples", goodFrom: Number.NaN }, /a bound is a number, 0 or more/],
    [{ finding: "samples", usableFrom: 20_000 }, /good \(10000\) is to be no less than usable \(20000\)/],
    [{ finding: "age", usableFrom: 60 }, /good \(604800\) is to be no less than usable \(60\)/],
  ])("%o are refused", (threshold, message) => {
    expect(() => checkPgoThresholds([threshold])).toThrow(message);
  });
});

test("isAtLeast() compares verdicts", () => {
  expect(isAtLeast("good", "usable")).toBe(true);
  expect(isAtLeast("poor", "poor")).toBe(true);
  expect(isAtLeast("unusable", "poor")).toBe(false);
});

describe("as text", () => {
  test("a report begins with the verdict in one line, aligns what was looked at, and is ASCII", () => {
    const facts = {
      content: { ...content, samples: 3214n, leftOut: { negative: 0, withoutStartLine: 7, unreadableName: 0 } },
      inputs: { ...inputs, instances: 1, stability: { jaccard: 0.2, weightOverlap: 0.417, seed: "ab12" } },
    };
    const text = reportText(judge(facts));
    expect(text).toMatchInlineSnapshot(`
      "poor: 3214 samples, 1 instance; samples 3214 (good from 10000), instances 1 (good from 3), stability 41.7 % (usable from 50 %)

      FINDING             VALUE   VERDICT  USABLE   GOOD
      samples             3214    usable   >= 1000  >= 10000
      edges               1247    good
      cpu_time            200 s   good              >= 1 s
      without_start_line  0 %     good     <= 50 %  <= 5 %
      named               100 %   good     >= 50 %  >= 90 %
      wall_time           1800 s  good     >= 10 s  >= 300 s
      utilization         0.11    good     >= 0.01  >= 0.10
      instances           1       usable   >= 1     >= 3
      hours_of_day        5       good     >= 1     >= 4
      newest_version      80 %    good              >= 50 %
      go_versions         1       good              <= 2
      age                 7200 s  good     <= 30 d  <= 7 d
      stability           41.7 %  poor     >= 50 %  >= 80 %
      drift               10 %    good              <= 30 %
      skipped             3.23 %  good     <= 50 %  <= 10 %

      samples: Go takes 100 samples a second of a busy core, and with fewer than 1000 most call sites are there by chance: profile longer, or more instances.
      instances: One instance may be idle or serve one kind of request: profile several.
      stability: Two random halves of the profiles are to agree on what is hot; halves of 500 samples do on some 60 %: take more of them.

      calls         1247, of which 356 make up 99 % of the weight 30000
      profiles      60
      skipped       2 no-start-line
      versions      1.2.0 80 %, (none) 20 %
      go versions   go1.26.1 100 %
      hours of day  7, 8, 12, 20, 21
      earliest      2026-09-21T14:13:20.000Z
      latest        2026-09-22T15:13:20.000Z
      stability     0.20 of the hot calls are in both halves, seed ab12
      drift         0.60 of the hot calls are in both this and release 2026-11-20
      left out      7 rows (without start line)
      "
    `);
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  });

  test("the one line says what is lacking, or what is wrong", () => {
    expect(verdictLine(judge({ content, inputs }))).toBe("good: 20000 samples, 4 instances");
    expect(
      verdictLine(judge({ content: { ...content, samples: 500n }, inputs: { ageNs: 10n * 86_400n * SECOND_NS } })),
    ).toBe("poor: 500 samples; samples 500 (usable from 1000), age 10 d (good up to 7 d)");
    expect(verdictLine(judge({ content: { ...content, edges: 0 }, inputs }))).toBe(
      "unusable: edges 0: Without calls from one function to another, as the two innermost frames tell them, the compiler finds nothing.",
    );
  });
});
