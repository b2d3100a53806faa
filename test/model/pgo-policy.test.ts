// Policies as they are written, and what they may be.

import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { DEFAULT_PGO_POLICY, PLAIN_PGO_POLICY } from "../../src/model/pgo-policy.ts";
import { readPgoPolicy, writePgoPolicy } from "../../src/model/pgo-policy-text.ts";

const read = (plain: unknown, name = "p") => readPgoPolicy("file.yaml: auth: p", name, plain, DEFAULT_LIMITS);

const EVERYTHING_SET = {
  selector: 'cpu{env="prod"}',
  window: "3d",
  newest_versions: 2,
  min_samples: 5,
  min_profiles: 6,
  min_instances: 7,
  weighting: "none",
  top_by_cpu: 8,
  mode_label: "mode",
  drop: ["^runtime[.]"],
  no_inline: ["main.hot"],
  prune: [{ drop: "a" }, { drop: "b", keep: "c" }],
  keep_locations: -1,
  thresholds: [{ finding: "samples", usable_from: 1, good_from: 2 }, { finding: "age" }],
};

describe("a policy", () => {
  test("is the default where nothing is said", () => {
    expect(read({})).toEqual({ ...DEFAULT_PGO_POLICY, name: "p" });
  });

  test("reads every key, and is written as it is read", () => {
    const policy = read(EVERYTHING_SET);
    for (const key of Object.keys(DEFAULT_PGO_POLICY)) {
      expect(policy, key).not.toHaveProperty(key, DEFAULT_PGO_POLICY[key as keyof typeof DEFAULT_PGO_POLICY]);
    }
    for (const each of [policy, DEFAULT_PGO_POLICY, { ...PLAIN_PGO_POLICY, windowNs: 3_600_000_000_000n }]) {
      expect(read(JSON.parse(JSON.stringify(writePgoPolicy(each))), each.name)).toEqual(each);
    }
  });

  const faults: [plain: unknown, message: string][] = [
    [[], 'it is "[]", and keys with values are expected'],
    [{ windwo: "1d" }, 'there is no "windwo"; did you mean window?'],
    [{ window: 7 }, "window is 7, and it is a duration, such as 7d"],
    [{ window: "1m" }, "window is 1h to 366d"],
    [{ window: "soon" }, 'Cannot read duration "soon"'],
    [{ min_samples: -1 }, "min_samples is a whole number, 0 or more"],
    [{ min_samples: 1.5 }, "min_samples is a whole number, 0 or more"],
    [{ min_profiles: "3" }, 'min_profiles is "3", and it is a number'],
    [{ keep_locations: 1 }, "keep_locations is -1 for all, or 2 or more"],
    [{ keep_locations: 0 }, "keep_locations is 0, and it is -1 for all, or a number, 2 or more"],
    [{ weighting: "fair" }, 'weighting is "fair", and it is instance_hour or none'],
    [{ selector: "cpu{" }, "Cannot read selector"],
    [{ drop: ["("] }, "Cannot use regular expression"],
    [{ drop: "x" }, 'drop is "x", and it is a list of texts'],
    [{ prune: [{ keep: "x" }] }, "drop is missing, and it is a text: keep alone drops nothing"],
    [{ prune: [{ drops: "x" }] }, 'there is no "drops"; did you mean drop?'],
    [{ prune: [{ drop: "" }] }, 'prune has a rule without "drop"'],
    [{ thresholds: [{ finding: "sample" }] }, 'Cannot use a threshold for "sample": findings are samples,'],
    [{ thresholds: [{ finding: "samples", good_from: "x" }] }, 'good_from is "x", and it is a number'],
    [{ selector: 'cpu{service="other"}' }, "selector names a service: a policy is of one"],
    [{ thresholds: [{ finding: "age" }, { finding: "age" }] }, "thresholds name a finding twice"],
    [{ mode_label: "a\nb" }, "Cannot take label name"],
    [{ drop: [""] }, "drop has an empty expression, which matches everything"],
    [{ no_inline: ["x".repeat(4097)] }, "no_inline has names of 1 to 4096 characters"],
    [{ drop: Array(101).fill("x") }, "drop has at most 100 rules"],
  ];
  test.each(faults)("%j is refused: %s", (plain, message) => {
    expect(() => read(plain)).toThrow(message);
  });

  test("has a name of words", () => {
    for (const name of ["", ".x", "a b", "a/b", "x".repeat(101)])
      expect(() => read({}, name)).toThrow("Cannot name a policy");
    expect(read({}, `A${".".repeat(99)}`).name).toHaveLength(100);
  });
});
