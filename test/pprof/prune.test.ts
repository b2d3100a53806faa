// google/pprof's Prune, case by case; test/e2e/oracle-prune.test.ts asks google/pprof itself.

import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { applyPruneRules, type PruneRule } from "../../src/pprof/prune.ts";
import { buildProfile, type FrameSpec } from "../support/profile-builder.ts";

/** Stacks leaf first; a location with inlined frames is written `inner+outer`. */
function pruned(stacks: readonly string[], ...rules: PruneRule[]): string[] {
  const frame = (text: string): FrameSpec => ({ lines: text.split("+").map((name) => ({ name })) });
  const samples = stacks.map((stack) => ({ stack: stack.split(" ").map(frame), values: [1, 10] }));
  const profile = decodeProfile(buildProfile({ samples }), { encoding: "latin1" });
  applyPruneRules(profile, rules, DEFAULT_LIMITS);
  const nameOf = new Map(profile.functions.map(({ id, name }) => [id, Buffer.from(name, "latin1").toString()]));
  return profile.samples.map(({ locationIds }) =>
    locationIds
      .map((id) => profile.locations.find((location) => location.id === id)!)
      .map(({ lines }) => lines.map(({ functionId }) => nameOf.get(functionId)!).join("+"))
      .join(" "),
  );
}

test.each([
  ["A", "B C B D"],
  ["B", "D"],
  ["C", "B D"],
  ["D", "A B C B D"],
  [".", "A B C B D"],
  ["[CD]", "B D"],
  ["[AB]", "D"],
  ["absent", "A B C B D"],
])("of A B C B D, leaf first, drop %s leaves %s", (drop, left) => {
  expect(pruned(["A B C B D"], { drop })).toEqual([left]);
});

describe("inlined frames", () => {
  test("go with those further in, and the location stays where not its outermost matches", () => {
    expect(pruned(["leaf+mid+outer main"], { drop: "mid" })).toEqual(["outer main"]);
    expect(pruned(["below leaf+mid+outer main"], { drop: "mid" })).toEqual(["outer main"]);
    expect(pruned(["leaf+mid+outer main"], { drop: "outer" })).toEqual(["main"]);
    expect(pruned(["leaf+mid+outer main"], { drop: "leaf|mid" })).toEqual(["outer main"]);
  });

  test("go from the location itself, so from every stack that has it", () => {
    expect(pruned(["leaf+mid+outer main", "x leaf+mid+outer", "x leaf+mid+outer y"], { drop: "mid" })).toEqual([
      "outer main",
      "x outer",
      "outer y",
    ]);
  });
});

describe("names", () => {
  test("end before their first parenthesis, where Go writes receivers", () => {
    const stack = ["github.com/x/s3.(*S3).PutObject main.main"];
    expect(pruned(stack, { drop: "S3" })).toEqual(stack);
    expect(pruned(stack, { drop: "PutObject" })).toEqual(stack);
    expect(pruned(stack, { drop: "x/s3" })).toEqual(["main.main"]);
    expect(pruned(stack, { drop: "s3[.]$" })).toEqual(["main.main"]);
  });

  test("keep C++'s parentheses that are no arguments, and lose one leading dot", () => {
    const cpp = ["(anonymous namespace)::f(int) main"];
    expect(pruned(cpp, { drop: "::f$" })).toEqual(["main"]);
    expect(pruned(["Map::operator()(int) main"], { drop: "operator\\(\\)$" })).toEqual(["main"]);
    expect(pruned(["..f main"], { drop: "^[.]f$" })).toEqual(["main"]);
    expect(pruned([".f main"], { drop: "^f$" })).toEqual(["main"]);
  });

  test("match anywhere, as RE2 reads expressions, whatever letters they have", () => {
    expect(pruned(["main.GRÖSSE main"], { drop: "(?i)größe|grösse" })).toEqual(["main"]);
    expect(pruned(["runtime.mallocgc main"], { drop: "malloc" })).toEqual(["main"]);
  });

  test("that are empty match nothing", () => {
    expect(pruned([" main"], { drop: ".*", keep: "main" })).toEqual([" main"]);
  });
});

describe("keep", () => {
  test("protects the frames that it names, not those below a dropped one", () => {
    expect(pruned(["lib.a lib.keep main"], { drop: "^lib", keep: "keep" })).toEqual(["lib.keep main"]);
    expect(pruned(["lib.keep lib.a main"], { drop: "^lib", keep: "keep" })).toEqual(["main"]);
  });

  test("without drop is a mistake, and so is a rule of nothing", () => {
    const message = 'Cannot use a prune rule without "drop": "keep" alone drops nothing';
    expect(() => pruned(["a"], { keep: "a" })).toThrow(expect.objectContaining({ kind: "invalid", message }));
    expect(() => pruned(["a"], { drop: "" })).toThrow(message);
    expect(() => pruned(["a"], { drop: "(" })).toThrow("Cannot use regular expression");
  });
});

test("rules apply one after the other, and values stay", () => {
  expect(pruned(["a b c d"], { drop: "b" }, { drop: "^c" })).toEqual(["d"]);
  const profile = decodeProfile(buildProfile({ samples: [{ stack: ["a", "b", "c"], values: [3, 30] }] }), {
    encoding: "latin1",
  });
  applyPruneRules(profile, [{ drop: "a" }, { drop: "b" }], DEFAULT_LIMITS);
  expect(profile.samples.map(({ values }) => values)).toEqual([[3n, 30n]]);
});
