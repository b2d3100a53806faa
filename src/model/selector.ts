// Label selectors in PromQL's form, `cpu{service="auth",version=~"1[.].*"}`: reading, writing, matching one label set.
// One matcher is matcher.ts's, the text's characters are selector-reader.ts's; finding the series that match is src/storage's.

import { DomainError } from "./errors.ts";
import type { Labels } from "./labels.ts";
import type { Limits } from "./limits.ts";
import { compileMatcher, type Matcher } from "./matcher.ts";
import { parseTypeReference } from "./profile-type.ts";
import { compileAnchored } from "./regexp.ts";
import { SelectorReader } from "./selector-reader.ts";
import type { ValueType } from "./shape.ts";
import { quote, textFault, utf8Bytes } from "./text.ts";

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
 * Reads `type{name="value", …}`: operators = != =~ !~, values in double or single quotes (with Go's escapes but the octal ones; \\xNN is
 * the character U+00NN) or backquotes, names quoted where they are not words. `service`, `type` and `__name__` are the profile's own. Throws `invalid`, naming the position.
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
