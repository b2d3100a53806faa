// autopgo's file of prune rules: what it may say, what is refused and where, and which policies have the rules then.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readAutopgoPrune, withPruneRules } from "../src/autopgo-prune-file.ts";
import { DEFAULT_LIMITS } from "../src/model/limits.ts";
import { DEFAULT_PGO_POLICY, type PruneRule } from "../src/model/pgo-policy.ts";

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-prune-"));
  path = join(folder, "worker.config.json");
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  writeFileSync(path, text);
  return readAutopgoPrune(path, DEFAULT_LIMITS);
}

describe("readAutopgoPrune()", () => {
  test("reads apps and their rules in their order; a backslash before a slash is none", async () => {
    const rules = await read(String.raw`[
      {"app": "api", "rules": [{"drop": "github.com\/aws\/aws-sdk-go.*"}, {"drop": "^gocloud", "keep": "(?i)blob"}]},
      {"app": "web", "rules": []}
    ]`);
    expect([...rules]).toEqual([
      ["api", [{ drop: "github.com/aws/aws-sdk-go.*" }, { drop: "^gocloud", keep: "(?i)blob" }]],
      ["web", []],
    ]);
  });

  test("takes what Go's JSON takes: names in any case, null for nothing, names that nobody knows; of one app the first entry", async () => {
    const rules = await read(
      '[{"App": "a", "RULES": [{"Drop": "x", "keep": null, "why": 1}]}, {"app": "a", "rules": [{"drop": "y"}]}, {"app": "b", "rules": null}]',
    );
    expect([...rules]).toEqual([
      ["a", [{ drop: "x" }]],
      ["b", []],
    ]);
  });

  const faults: [fault: string, text: string, told: string][] = [
    [
      "keep without drop",
      '[{"app":"a","rules":[]},{"app":"b","rules":[{"drop":"x"},{"keep":"y"}]}]',
      'entry 2, app "b", rule 2: there is no drop, and keep alone drops nothing',
    ],
    ["neither", '[{"app":"a","rules":[{}]}]', 'entry 1, app "a", rule 1: there is no drop'],
    ["an empty drop", '[{"app":"a","rules":[{"drop":""}]}]', "rule 1: drop is no text"],
    [
      "a bad expression",
      '[{"app":"a","rules":[{"drop":"("}]}]',
      'entry 1, app "a", rule 1: Cannot use regular expression "("',
    ],
    ["a bad keep", '[{"app":"a","rules":[{"drop":"x","keep":"a(?!b)"}]}]', "(RE2 syntax)"],
    ["a number", '[{"app":"a","rules":[{"drop":1}]}]', "rule 1: drop is no text"],
    ["an object", '{"app":"a"}', "it is no list of apps"],
    ["rules that are no list", '[{"app":"a","rules":{}}]', 'entry 1, app "a": rules is no list'],
    ["an app that is no text", '[{"app":1}]', "entry 1: app is no text"],
    ["a rule that is a text", '[{"app":"a","rules":["x"]}]', 'entry 1, app "a", rule 1 is no object'],
    ["no JSON", "app: a", "Unexpected token"],
  ];
  test.each(faults)("refuses %s, with its place", async (_, text, told) => {
    await expect(read(text)).rejects.toMatchObject({
      kind: "invalid",
      message: expect.stringContaining(`Cannot read the prune rules in ${path}: `),
    });
    await expect(read(text)).rejects.toThrow(told);
  });

  test("refuses a file that is not there", async () => {
    await expect(readAutopgoPrune(join(folder, "none"), DEFAULT_LIMITS)).rejects.toThrow("ENOENT");
  });
});

describe("withPruneRules()", () => {
  const rules: PruneRule[] = [{ drop: "x" }];
  const pruneOf = (policies: ReturnType<typeof withPruneRules>, service: string) => {
    const named = new Map(
      (policies.get(service) ?? []).map(({ name, prune }) => [name, prune.map(({ drop }) => drop)]),
    );
    return Object.fromEntries(named);
  };

  test("puts an app's rules behind those of its policies default and autopgo, its own or everyone's, and of nothing else", () => {
    const policy = (name: string, ...drops: string[]) => ({
      ...DEFAULT_PGO_POLICY,
      name,
      prune: drops.map((drop) => ({ drop })),
    });
    const configured = new Map([
      ["*", [policy("default", "everyone's"), policy("autopgo")]],
      ["web", [policy("default", "web's"), policy("night")]],
      ["other", [policy("default")]],
    ]);
    const all = withPruneRules(
      configured,
      new Map([
        ["web", rules],
        ["api", rules],
        ["none", []],
      ]),
      DEFAULT_LIMITS,
    );
    expect(pruneOf(all, "web")).toEqual({ default: ["web's", "x"], night: [], autopgo: ["x"] });
    expect(pruneOf(all, "api")).toEqual({ default: ["everyone's", "x"], autopgo: ["x"] });
    expect(pruneOf(all, "other")).toEqual({ default: [] });
    expect(all.has("none")).toBe(false);
  });

  test("refuses more rules than a policy may have", () => {
    const many = Array.from({ length: 101 }, () => ({ drop: "x" }));
    expect(() => withPruneRules(new Map(), new Map([["web", many]]), DEFAULT_LIMITS)).toThrow("at most 100 rules");
  });
});
