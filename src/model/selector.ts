// Label selectors in PromQL's form, `cpu{service="auth",version=~"1[.].*"}`: reading, writing, matching one label set.
// Finding the series that match is src/storage's.

import { DomainError } from "./errors.ts";
import type { Labels } from "./labels.ts";
import type { Limits } from "./limits.ts";
import { parseTypeReference } from "./profile-type.ts";
import { compileAnchored } from "./regexp.ts";
import type { ValueType } from "./shape.ts";
import { quote, textFault, utf8Bytes } from "./text.ts";

export type MatchOperator = "=" | "!=" | "=~" | "!~";

export interface Matcher {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
  /** Set where presence is asked for too: an absent name is not "". profefe's `labels=` asks so. */
  readonly mustExist?: true;
}

/** All of the matchers must hold. No matchers: everything. */
export interface Selector {
  readonly services: readonly Matcher[];
  readonly types: readonly Matcher[];
  readonly labels: readonly Matcher[];
  /** Named by a profile-type id, such as inuse_space/bytes of memory:inuse_space:bytes:space:bytes. */
  readonly column?: ValueType;
  /** That id, as it was written. */
  readonly typeId?: string;
}

export const EVERYTHING: Selector = { services: [], types: [], labels: [] };

/** Service and type by equality, as paths and request fields name them; both are optional. */
export function selectorOf(service?: string, type?: string, labels: Labels = []): Selector {
  return {
    services: service === undefined ? [] : [{ name: "service", operator: "=", value: service }],
    types: type === undefined ? [] : [{ name: "type", operator: "=", value: type }],
    labels: labels.map(({ name, value }) => ({ name, operator: "=", value, mustExist: true })),
  };
}

/**
 * Reads `type{name="value", …}`: operators = != =~ !~, values in double or single quotes (Go's escapes) or backquotes, names quoted
 * where they are not words. `service`, `type` and `__name__` are the profile's own. Throws `invalid`, naming the position.
 */
export function parseSelector(text: string, limits: Limits): Selector {
  if (utf8Bytes(text) > limits.selectorBytes) {
    throw new DomainError(
      "invalid",
      `Cannot read a selector of ${utf8Bytes(text)} bytes: at most ${limits.selectorBytes} are allowed`,
    );
  }
  const fault = text.isWellFormed() ? undefined : textFault(text);
  if (fault) throw new DomainError("invalid", `Cannot read selector ${quote(text)}: it ${fault}`);
  if (text.trim() === "") throw new DomainError("invalid", "Cannot read an empty selector: {} is everything");
  const { typeText, matchers } = new SelectorReader(text).read();
  if (matchers.length > limits.selectorMatchers) {
    throw new DomainError(
      "invalid",
      `Cannot use ${matchers.length} matchers: at most ${limits.selectorMatchers} are allowed`,
    );
  }
  const all =
    typeText === undefined ? matchers : [{ name: "type", operator: "=" as const, value: typeText }, ...matchers];
  for (const { operator, value } of all) if (operator === "=~" || operator === "!~") compileAnchored(value, limits);
  return sortOut(all);
}

function sortOut(matchers: readonly Matcher[]): Selector {
  const services: Matcher[] = [];
  const types: Matcher[] = [];
  const labels: Matcher[] = [];
  let column: ValueType | undefined;
  let typeId: string | undefined;
  for (const matcher of matchers) {
    if (matcher.name === "service") services.push(matcher);
    else if (matcher.name !== "type" && matcher.name !== "__name__") labels.push(matcher);
    else if (matcher.operator !== "=") types.push({ ...matcher, name: "type", value: plainTypes(matcher) });
    else {
      const reference = parseTypeReference(matcher.value);
      if (reference.column && typeId !== undefined && typeId !== matcher.value) {
        throw new DomainError(
          "invalid",
          `Cannot ask for ${quote(typeId)} and ${quote(matcher.value)}: name one profile type id`,
        );
      }
      if (reference.column) {
        column = reference.column;
        typeId = matcher.value;
      }
      types.push(typeMatcher(reference.types));
    }
  }
  return { services, types, labels, ...(column && { column }), ...(typeId && { typeId }) };
}

function typeMatcher(types: readonly string[]): Matcher {
  return types.length === 1
    ? { name: "type", operator: "=", value: types[0]! }
    : { name: "type", operator: "=~", value: types.join("|") };
}

/** An id names one column to keep; there is no asking for its opposite. */
function plainTypes({ operator, value }: Matcher): string {
  if (operator !== "!=" || !value.includes(":")) return value;
  throw new DomainError(
    "invalid",
    `Cannot leave out ${quote(value)}: a profile type id goes with = only, a type such as heap with any operator`,
  );
}

/** The selector in one canonical text, which reads back as the same selector, but for `mustExist`, which has no PromQL form. */
export function formatSelector({ services, types, labels, typeId }: Selector): string {
  const [onlyType] = types;
  const plain = types.length === 1 && onlyType?.operator === "=" && typeId === undefined;
  const ofId = typeId === undefined ? undefined : typeMatcher(parseTypeReference(typeId).types);
  const written = types.map((matcher): Matcher => {
    const fromId = matcher.operator === ofId?.operator && matcher.value === ofId.value;
    return fromId ? { name: "type", operator: "=", value: typeId! } : matcher;
  });
  const rest = plain ? [] : written;
  const matchers = [...services, ...rest, ...labels].map(({ name, operator, value }) => {
    const word = /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : JSON.stringify(name);
    return `${word}${operator}${JSON.stringify(value)}`;
  });
  return `${plain ? onlyType.value : ""}{${matchers.join(",")}}`;
}

/** A test of one label name's values. `values` is empty where the name is absent, which counts as "". */
export function compileMatcher(matcher: Matcher, limits: Limits): (values: readonly string[]) => boolean {
  const holds = valueTest(matcher, limits);
  const negated = matcher.operator === "!=" || matcher.operator === "!~";
  return (values) => {
    if (values.length === 0) return matcher.mustExist ? false : holds("") !== negated;
    return values.some(holds) !== negated;
  };
}

/** Whether one value equals or matches; negation is the caller's, since it is over all values of a name. */
export function valueTest({ operator, value }: Matcher, limits: Limits): (candidate: string) => boolean {
  if (operator === "=" || operator === "!=") return (candidate) => candidate === value;
  return compileAnchored(value, limits);
}

/** The plain definition of a match, for one profile's service, type and labels. */
export function compileSelector(
  selector: Selector,
  limits: Limits,
): (service: string, type: string, labels: Labels) => boolean {
  const services = selector.services.map((matcher) => compileMatcher(matcher, limits));
  const types = selector.types.map((matcher) => compileMatcher(matcher, limits));
  const labelled = selector.labels.map((matcher) => ({ name: matcher.name, holds: compileMatcher(matcher, limits) }));
  return (service, type, labels) =>
    services.every((holds) => holds([service])) &&
    types.every((holds) => holds([type])) &&
    labelled.every(({ name, holds }) => holds(labels.filter((label) => label.name === name).map(({ value }) => value)));
}

class SelectorReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): { typeText: string | undefined; matchers: Matcher[] } {
    this.#skipSpace();
    const typeText = this.#take(/[a-zA-Z_:][a-zA-Z0-9_:]*/y);
    this.#skipSpace();
    const matchers: Matcher[] = [];
    if (this.#at < this.#text.length || typeText === undefined) this.#readBraces(matchers);
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail("nothing may follow the closing brace");
    return { typeText, matchers };
  }

  #readBraces(matchers: Matcher[]): void {
    this.#expect("{");
    for (;;) {
      this.#skipSpace();
      if (this.#takeText("}")) return;
      matchers.push(this.#readMatcher());
      this.#skipSpace();
      if (this.#takeText("}")) return;
      if (!this.#takeText(",")) this.#fail('"," or "}" must follow a matcher');
    }
  }

  #readMatcher(): Matcher {
    const quoted = /["'`]/.test(this.#text[this.#at] ?? "");
    const name = quoted ? this.#readString() : this.#take(/[a-zA-Z_][a-zA-Z0-9_.]*/y);
    if (name === undefined || name === "") this.#fail("a label name must stand here");
    this.#skipSpace();
    const operator = this.#take(/=~|!~|!=|=/y) as MatchOperator | undefined;
    // PromQL's form for a metric name that is not a word: {"my.type", …}
    if (operator === undefined && quoted) return { name: "type", operator: "=", value: name };
    if (operator === undefined) this.#fail("one of = != =~ !~ must follow a label name");
    this.#skipSpace();
    return { name, operator, value: this.#readString() };
  }

  #readString(): string {
    const quoteMark = this.#text[this.#at];
    if (quoteMark === "`") {
      const end = this.#text.indexOf("`", this.#at + 1);
      if (end < 0) this.#fail("this string has no end");
      const raw = this.#text.slice(this.#at + 1, end);
      this.#at = end + 1;
      return raw;
    }
    if (quoteMark !== '"' && quoteMark !== "'") this.#fail("a quoted value must stand here");
    this.#at++;
    let value = "";
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character === "\n") this.#fail("this string has no end");
      this.#at++;
      if (character === quoteMark) return value;
      value += character === "\\" ? this.#readEscape() : character;
    }
  }

  #readEscape(): string {
    const simple: Record<string, string> = {
      n: "\n",
      t: "\t",
      r: "\r",
      "\\": "\\",
      '"': '"',
      "'": "'",
      a: "\x07",
      b: "\b",
      f: "\f",
      v: "\v",
    };
    const hex = this.#take(/x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}/y);
    if (hex !== undefined) {
      const point = Number.parseInt(hex.slice(1), 16);
      if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) this.#fail("this escape is no character");
      return String.fromCodePoint(point);
    }
    const found = simple[this.#text[this.#at] ?? ""];
    if (found === undefined) this.#fail("this escape is unknown");
    this.#at++;
    return found;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.#at += match[0].length;
    return match[0];
  }

  #takeText(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takeText(text)) this.#fail(`"${text}" must stand here`);
  }

  #skipSpace(): void {
    this.#take(/\s*/y);
  }

  #fail(rule: string): never {
    throw new DomainError("invalid", `Cannot read selector ${quote(this.#text)} at character ${this.#at + 1}: ${rule}`);
  }
}
