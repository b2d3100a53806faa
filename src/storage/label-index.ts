// Inverted index over labels: (name, value) → the series that have it. Which matcher means which series is decided here;
// what a series is, src/storage/series-index.ts knows.

import type { Label } from "../model/labels.ts";
import type { Limits } from "../model/limits.ts";
import { type Matcher, valueTest } from "../model/matcher.ts";
import { IdList } from "./id-list.ts";

/**
 * So long a regular expression is tested here, the rest of the values in another thread. Most take 1–3 µs a value, so some two thousand
 * fit; the largest allowed on a value of 4 KiB takes milliseconds.
 */
const INLINE_MS = 4;
/** Per label name; each remembers the values it matched. As many as a selector may have matchers: none is lost between test and use. */
const CACHED_PATTERNS = 64;
/** Compiling one takes as long as testing a hundred values. */
const COMPILED_PATTERNS = 64;

/** In a map of hits by series id: out, whatever else holds. Above any count of matchers. */
export const EXCLUDED = 255;

/** Which of the values of `name` with ids in (afterLabelId, lastLabelId] the anchored pattern matches. */
export type MatchElsewhere = (
  name: string,
  pattern: string,
  afterLabelId: number,
  lastLabelId: number,
) => Promise<Uint32Array>;

interface LabelName {
  /** In the order of their ids, which is that of their first use. */
  readonly labelIds: IdList;
  readonly idOfValue: Map<string, number>;
  /** Every series that has the name. */
  readonly present: IdList;
  readonly patterns: Map<string, PatternCache>;
}

interface PatternCache {
  /** So many of the name's labelIds are tested. */
  tested: number;
  readonly matching: IdList;
}

export class LabelIndex {
  readonly #limits: Limits;
  readonly #names = new Map<string, LabelName>();
  readonly #compiled = new Map<string, (value: string) => boolean>();
  /** By label id. */
  readonly #labels: Label[] = [];
  /** By label id: its name. */
  readonly #nameOf: LabelName[] = [];
  /** By label id; a single series, as most values of a pod name have, is not worth a list. */
  readonly #postings: (IdList | number | undefined)[] = [];

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Label ids ascend. */
  addLabel(labelId: number, name: string, value: string): void {
    let entry = this.#names.get(name);
    if (!entry) {
      entry = { labelIds: new IdList(), idOfValue: new Map(), present: new IdList(), patterns: new Map() };
      this.#names.set(name, entry);
    }
    entry.labelIds.push(labelId);
    entry.idOfValue.set(value, labelId);
    this.#nameOf[labelId] = entry;
    this.#labels[labelId] = { name, value };
  }

  /** Series ids ascend. */
  addSeries(seriesId: number, labelIds: Iterable<number>): void {
    for (const labelId of labelIds) {
      const posting = this.#postings[labelId];
      if (posting === undefined) this.#postings[labelId] = seriesId;
      else if (typeof posting !== "number") posting.push(seriesId);
      else {
        const list = new IdList();
        list.push(posting);
        list.push(seriesId);
        this.#postings[labelId] = list;
      }
      const { present } = this.#nameOf[labelId]!;
      if (present.at(present.length - 1) !== seriesId) present.push(seriesId);
    }
  }

  label(labelId: number): Label {
    return this.#labels[labelId]!;
  }

  labelIdsOf(name: string): Uint32Array {
    return this.#names.get(name)?.labelIds.view() ?? new Uint32Array();
  }

  seriesOf(labelId: number): Uint32Array {
    const posting = this.#postings[labelId];
    if (posting === undefined) return new Uint32Array();
    return typeof posting === "number" ? Uint32Array.of(posting) : posting.view();
  }

  /** Tests what `matcher` would have to test of many values, elsewhere; afterwards exclude() and raise() are quick. */
  async prepare({ name, operator, value }: Matcher, matchElsewhere: MatchElsewhere): Promise<void> {
    if (operator === "=" || operator === "!=") return;
    const entry = this.#names.get(name);
    if (!entry) return;
    const cache = this.#patternCache(entry, value);
    this.#testValues(entry, cache, value, performance.now() + INLINE_MS);
    while (cache.tested < entry.labelIds.length) {
      const from = cache.tested;
      const to = entry.labelIds.length;
      const matching = await matchElsewhere(name, value, entry.labelIds.at(from - 1) ?? 0, entry.labelIds.at(to - 1)!);
      // Another query may have asked the same meanwhile.
      if (cache.tested !== from) continue;
      for (const labelId of matching) cache.matching.push(labelId);
      cache.tested = to;
    }
  }

  /** Whether a series without the name cannot match: then the matches are among the few that have it. */
  requiresName(matcher: Matcher): boolean {
    return matcher.mustExist === true || this.#test(matcher)("") === isNegated(matcher);
  }

  /**
   * Sets `hits` to EXCLUDED for series that fail the matcher and would not be missed by raise(). Meaning of a match:
   * src/model/selector.ts, compileMatcher.
   */
  exclude(matcher: Matcher, hits: Uint8Array): void {
    const entry = this.#names.get(matcher.name);
    if (!entry) return;
    if (isNegated(matcher)) {
      for (const ids of this.#matchingSeries(entry, matcher)) for (const seriesId of ids) hits[seriesId] = EXCLUDED;
    } else if (!this.requiresName(matcher)) {
      const matching = new Uint8Array(hits.length);
      for (const ids of this.#matchingSeries(entry, matcher)) for (const seriesId of ids) matching[seriesId] = 1;
      for (const seriesId of entry.present.view()) if (matching[seriesId] === 0) hits[seriesId] = EXCLUDED;
    }
  }

  /** Raises `hits` from `round` to `round + 1` for series that hold a matcher that requires its name, and answers those. */
  raise(matcher: Matcher, hits: Uint8Array, round: number): IdList {
    const raised = new IdList();
    const entry = this.#names.get(matcher.name);
    if (!entry) return raised;
    const lists = isNegated(matcher) ? [entry.present.view()] : this.#matchingSeries(entry, matcher);
    for (const ids of lists) {
      for (const seriesId of ids) {
        if (hits[seriesId] !== round) continue;
        hits[seriesId] = round + 1;
        raised.push(seriesId);
      }
    }
    return raised;
  }

  /** Of every value that the matcher's text fits; negation is the caller's. */
  #matchingSeries(entry: LabelName, matcher: Matcher): Iterable<number>[] {
    const lists: Iterable<number>[] = [];
    for (const labelId of this.#matchingLabels(entry, matcher)) {
      const posting = this.#postings[labelId];
      if (posting !== undefined) lists.push(typeof posting === "number" ? [posting] : posting.view());
    }
    return lists;
  }

  #matchingLabels(entry: LabelName, matcher: Matcher): Uint32Array | number[] {
    const { operator, value } = matcher;
    if (operator === "=" || operator === "!=") {
      const labelId = entry.idOfValue.get(value);
      return labelId === undefined ? [] : [labelId];
    }
    const cache = this.#patternCache(entry, value);
    this.#testValues(entry, cache, value, Number.POSITIVE_INFINITY);
    return cache.matching.view();
  }

  /** Goes on where the pattern's cache ends, to the last value or until `untilMs` of the process's clock. */
  #testValues(entry: LabelName, cache: PatternCache, pattern: string, untilMs: number): void {
    if (cache.tested === entry.labelIds.length) return;
    const matches = this.#test({ name: "", operator: "=~", value: pattern });
    for (; cache.tested < entry.labelIds.length && performance.now() < untilMs; cache.tested++) {
      const labelId = entry.labelIds.at(cache.tested)!;
      if (matches(this.#labels[labelId]!.value)) cache.matching.push(labelId);
    }
  }

  #test(matcher: Matcher): (value: string) => boolean {
    if (matcher.operator === "=" || matcher.operator === "!=") return valueTest(matcher, this.#limits);
    const test = this.#compiled.get(matcher.value) ?? valueTest(matcher, this.#limits);
    remember(this.#compiled, matcher.value, test, COMPILED_PATTERNS);
    return test;
  }

  #patternCache(entry: LabelName, pattern: string): PatternCache {
    const cache = entry.patterns.get(pattern) ?? { tested: 0, matching: new IdList() };
    remember(entry.patterns, pattern, cache, CACHED_PATTERNS);
    return cache;
  }
}

function isNegated({ operator }: Matcher): boolean {
  return operator === "!=" || operator === "!~";
}

/** The one that was used longest ago makes room. */
function remember<Value>(cache: Map<string, Value>, key: string, value: Value, size: number): void {
  cache.delete(key);
  cache.set(key, value);
  if (cache.size > size) cache.delete(cache.keys().next().value!);
}
