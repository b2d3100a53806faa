// Selectors: reading, writing, and the plain definition of a match.

import { describe, expect, test } from "vitest";
import { DomainError } from "../../src/model/errors.ts";
import { DEFAULT_LIMITS as limits } from "../../src/model/limits.ts";
import { compileSelector, formatSelector, parseSelector, type Selector, selectorOf } from "../../src/model/selector.ts";
import { Random } from "../support/random.ts";

const parse = (text: string) => parseSelector(text, limits);

describe("parseSelector()", () => {
  test.each([
    ["{}", "{}"],
    ["{ , }", undefined],
    ["cpu", "cpu{}"],
    [" cpu { } ", "cpu{}"],
    ['cpu{service="auth",version=~"1[.].*"}', 'cpu{service="auth",version=~"1[.].*"}'],
    ['{a=\'1\',b!=`2`,c=~"3",d!~"4",}', '{a="1",b!="2",c=~"3",d!~"4"}'],
    ['{ a = "1" , b != "2" }', '{a="1",b!="2"}'],
    ['{type="heap"}', "heap{}"],
    ['{__name__="heap"}', "heap{}"],
    ['{"heap"}', "heap{}"],
    ['{type=~"heap|cpu"}', '{type=~"heap|cpu"}'],
    ['{type!="heap"}', '{type!="heap"}'],
    ['{"k8s.io/pod"="x"}', '{"k8s.io/pod"="x"}'],
    ['{service.name="x"}', '{"service.name"="x"}'],
    ['{a="\\n\\t\\"\\\\\\x41\\u00e9\\U0001f600"}', '{a="\\n\\t\\"\\\\Aé😀"}'],
    ["{a=`\\n`}", '{a="\\\\n"}'],
    ['{a="x",a="y"}', '{a="x",a="y"}'],
    ["memory:inuse_space:bytes:space:bytes", '{type="memory:inuse_space:bytes:space:bytes"}'],
  ])("reads %j as %j", (text, canonical) => {
    if (canonical === undefined) expect(() => parse(text)).toThrow(DomainError);
    else expect(formatSelector(parse(text))).toBe(canonical);
  });

  test("a profile-type id names types and one column", () => {
    const selector = parse('memory:inuse_space:bytes:space:bytes{service="a"}');
    expect(selector.column).toEqual({ type: "inuse_space", unit: "bytes" });
    const matches = compileSelector(selector, limits);
    expect(["heap", "allocs", "memory", "cpu"].map((type) => matches("a", type, []))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test.each([
    ["{", "at character 2: a label name must stand here"],
    ["{a}", "at character 3: one of = != =~ !~ must follow a label name"],
    ["{a=}", "at character 4: a quoted value must stand here"],
    ["{a=1}", "a quoted value must stand here"],
    ['{a="1"', '"," or "}" must follow a matcher'],
    ['{a="1" b="2"}', '"," or "}" must follow a matcher'],
    ['{a="1"}x', "nothing may follow the closing brace"],
    ['{a="1', "this string has no end"],
    ['{a="1\n"}', "this string has no end"],
    ["{a=`1", "this string has no end"],
    ['{a="\\q"}', "this escape is unknown"],
    ['{a="\\ud800"}', "this escape is no character"],
    ['{a="\\U00110000"}', "this escape is no character"],
    ["{=}", "a label name must stand here"],
    ["", "an empty selector"],
    [" \t\n", "{} is everything"],
    [
      '{type="memory:inuse_space:bytes:space:bytes",type="memory:alloc_space:bytes:space:bytes"}',
      "name one profile type id",
    ],
    ['{type!="memory:inuse_space:bytes:space:bytes"}', "goes with = only"],
    ['{""="x"}', "a label name must stand here"],
    ["cpu heap", '"{" must stand here'],
    ["cpu{}{}", "nothing may follow the closing brace"],
    ['{a=="x"}', "a quoted value must stand here"],
    ['{a=~"("}', "RE2 syntax"],
    ['{type="a b"}', "Cannot read profile type"],
    ["a:b", "Cannot read profile type"],
    ["\ud800", "is not valid UTF-8"],
    [`{a="${"x".repeat(16 * 1024)}"}`, "at most 16384 are allowed"],
    [`{${Array.from({ length: 65 }, (_, at) => `a${at}=""`).join(",")}}`, "Cannot use 65 matchers: at most 64"],
  ])("refuses %.40j, naming the place or the rule", (text, message) => {
    expect(() => parse(text)).toThrow(DomainError);
    expect(() => parse(text)).toThrow(message);
  });

  test("reads 10 000 strings of random bytes without a bug", () => {
    const random = new Random(7);
    const pieces = [
      "{",
      "}",
      '"',
      "'",
      "`",
      "\\",
      ",",
      "=",
      "!=",
      "=~",
      "!~",
      "a",
      "type",
      ":",
      " ",
      "x41",
      "(",
      "é",
      "\n",
    ];
    for (let round = 0; round < 10_000; round++) {
      const text = Array.from({ length: random.between(0, 12) }, () => random.pick(pieces)).join("");
      try {
        parse(text);
      } catch (error) {
        expect(error, `seed 7, ${JSON.stringify(text)}`).toBeInstanceOf(DomainError);
      }
    }
  });
});

describe("compileSelector()", () => {
  const labels = [
    { name: "empty", value: "" },
    { name: "env", value: "prod" },
    { name: "zone", value: "a" },
    { name: "zone", value: "b" },
  ];
  test.each([
    ["cpu", true],
    ["heap", false],
    ['{service="auth"}', true],
    ['{service=~"a.*",type=~"c.u"}', true],
    ['{service=~"a"}', false],
    ['{service!="auth"}', false],
    ['{type!~"heap|allocs"}', true],
    ['{env="prod"}', true],
    ['{env!="prod"}', false],
    ['{env=~"p|prod"}', true],
    ['{env=~"pro"}', false],
    ['{zone="a"}', true],
    ['{zone="b"}', true],
    ['{zone="a",zone="b"}', true],
    ['{zone="c"}', false],
    ['{zone!="a"}', false],
    ['{zone!="c"}', true],
    ['{zone!~"a|c"}', false],
    ['{zone!~"c|d"}', true],
    ['{absent=""}', true],
    ['{absent!=""}', false],
    ['{absent=~".*"}', true],
    ['{absent=~".+"}', false],
    ['{absent!~".+"}', true],
    ['{absent!="x"}', true],
    ['{empty=""}', true],
    ['{empty!=""}', false],
  ])("%s on a profile with repeated labels: %s", (text, matches) => {
    expect(compileSelector(parse(text), limits)("auth", "cpu", labels)).toBe(matches);
  });

  test("selectorOf() asks for presence: an absent label is not the empty one", () => {
    const matches = (name: string) =>
      compileSelector(selectorOf("auth", "cpu", [{ name, value: "" }]), limits)("auth", "cpu", labels);
    expect(matches("empty")).toBe(true);
    expect(matches("absent")).toBe(false);
    expect(compileSelector(selectorOf(), limits)("anything", "any", [])).toBe(true);
  });
});

test("formatSelector() writes what reads back as the same selector, for 2000 random ones", () => {
  const seed = 20261121;
  const random = new Random(seed);
  const names = ["a", "b.c", "service", "type", "é\n", 'q"'];
  const values = ["", "x", 'a"b\\', "日\u{1f600}", "\u0001\u2028", "x|y"];
  for (let round = 0; round < 2000; round++) {
    const matchers = Array.from({ length: random.between(0, 4) }, () => {
      const name = random.pick(names);
      const operator = random.pick(["=", "!=", "=~", "!~"]);
      const typed = name === "type" && operator === "=";
      const value = typed
        ? random.pick(["cpu", "memory:a:b:c:d"])
        : operator.endsWith("~")
          ? "x|y"
          : random.pick(values);
      return `${JSON.stringify(name)}${operator}${JSON.stringify(value)}`;
    });
    const selector: Selector = parse(`{${matchers.join(",")}}`);
    const written = formatSelector(selector);
    expect(parse(written), `seed ${seed}, round ${round}: ${written}`).toEqual(selector);
    expect(formatSelector(parse(written))).toBe(written);
  }
});
