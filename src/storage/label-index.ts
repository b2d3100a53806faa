// Inverted index over labels: (name, value) → the series that have it. Which matcher means which series is decided here;
// what a series is, src/storage/series-index.ts knows.

import type { Label } from "../model/labels.ts";
import type { Limits } from "../model/limits.ts";
import { compileAnchored } from "../model/regexp.ts";
import { type Matcher, valueTest } from "../model/selector.ts";
import { IdList } from "./id-list.ts";

/** Regular expressions over more values than this are tested in another thread: RE2 in JavaScript takes 1–3 µs a value. */
export const INLINE_VALUES = 2_000;
/** Per label name; each remembers the values it matched. */
const CACHED_PATTERNS = 8;

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

  /** Tests what `matcher` would have to test of many values, elsewhere; afterwards mark() is quick. */
  async prepare({ name, operator, value }: Matcher, matchElsewhere: MatchElsewhere): Promise<void> {
    if (operator === "=" || operator === "!=") return;
    const entry = this.#names.get(name);
    if (!entry) return;
    const cache = this.#patternCache(entry, value);
    while (entry.labelIds.length - cache.tested > INLINE_VALUES) {
      const from = cache.tested;
      const to = entry.labelIds.length;
      const matching = await matchElsewhere(name, value, entry.labelIds.at(from - 1) ?? 0, entry.labelIds.at(to - 1)!);
      // Another query may have asked the same meanwhile.
      if (cache.tested !== from) continue;
      for (const labelId of matching) cache.matching.push(labelId);
      cache.tested = to;
    }
  }

  /** True where only series that have the name can match: those are found without looking at all others. */
  isNarrow(matcher: Matcher): boolean {
    const negated = matcher.operator === "!=" || matcher.operator === "!~";
    return !negated && (matcher.mustExist === true || !valueTest(matcher, this.#limits)(""));
  }

  /**
   * Raises `hits` from `round` to `round + 1` for every series that the matcher holds for; `hits` has a place for every series id. Answers
   * the raised ones where the matcher is narrow. Meaning: src/model/selector.ts, compileMatcher.
   */
  mark(matcher: Matcher, hits: Uint8Array, round: number): IdList | undefined {
    const entry = this.#names.get(matcher.name);
    const raised = new IdList();
    if (this.isNarrow(matcher)) {
      if (entry) this.#raiseMatching(entry, matcher, hits, round, raised);
      return raised;
    }
    const negated = matcher.operator === "!=" || matcher.operator === "!~";
    const absentHolds = !matcher.mustExist && valueTest(matcher, this.#limits)("") !== negated;
    const present = new Uint8Array(hits.length);
    for (const seriesId of entry?.present.view() ?? []) present[seriesId] = 1;
    if (entry) this.#raiseMatching(entry, matcher, present, 1, raised);
    const wanted = negated ? 1 : 2;
    for (let seriesId = 0; seriesId < hits.length; seriesId++) {
      if (hits[seriesId] !== round) continue;
      const state = present[seriesId]!;
      if (state === 0 ? absentHolds : state === wanted) hits[seriesId] = round + 1;
    }
    return undefined;
  }

  #raiseMatching(entry: LabelName, matcher: Matcher, marks: Uint8Array, from: number, raised: IdList): void {
    for (const labelId of this.#matchingLabels(entry, matcher)) {
      const posting = this.#postings[labelId];
      if (posting === undefined) continue;
      const ids = typeof posting === "number" ? [posting] : posting.view();
      for (const seriesId of ids) {
        if (marks[seriesId] !== from) continue;
        marks[seriesId] = from + 1;
        raised.push(seriesId);
      }
    }
  }

  #matchingLabels(entry: LabelName, { operator, value }: Matcher): Uint32Array | number[] {
    if (operator === "=" || operator === "!=") {
      const labelId = entry.idOfValue.get(value);
      return labelId === undefined ? [] : [labelId];
    }
    const cache = this.#patternCache(entry, value);
    if (cache.tested < entry.labelIds.length) {
      const matches = compileAnchored(value, this.#limits);
      for (; cache.tested < entry.labelIds.length; cache.tested++) {
        const labelId = entry.labelIds.at(cache.tested)!;
        if (matches(this.#labels[labelId]!.value)) cache.matching.push(labelId);
      }
    }
    return cache.matching.view();
  }

  #patternCache(entry: LabelName, pattern: string): PatternCache {
    const cache = entry.patterns.get(pattern) ?? { tested: 0, matching: new IdList() };
    entry.patterns.delete(pattern);
    entry.patterns.set(pattern, cache);
    if (entry.patterns.size > CACHED_PATTERNS) entry.patterns.delete(entry.patterns.keys().next().value!);
    return cache;
  }
}
