// Answers that sum many profiles, in turn: how many are made at a time, that their bytes stay while they are read, and that what was asked
// before is not made again while its profiles are the same.

import type { Limits } from "../model/limits.ts";
import { formatSelector } from "../model/selector.ts";
import type { Catalog } from "../storage/catalog.ts";
import type { Gate } from "./gate.ts";
import type { ReadGuard } from "./read-guard.ts";
import type { Selection } from "./repository.ts";
import type { ResultCache } from "./result-cache.ts";

export interface AnswerDependencies {
  catalog: Catalog;
  gate: Gate;
  reads: ReadGuard;
  results: ResultCache;
  limits: Limits;
}

export interface Question<Answer> {
  selection: Selection;
  /** What else is asked, as JSON has it, the kind of answer first: answers of one selection and form are of one kind. */
  form: readonly unknown[];
  signal: AbortSignal;
  /** Called with an answer that was there, while the question still has its turn. */
  kept?: (answer: Answer) => Promise<void>;
}

export interface NewAnswer<Answer> {
  answer: Answer;
  /** Candidates.fingerprint; absent: it is not worth keeping. */
  fingerprint?: string | undefined;
}

/** Throws `exhausted` where too many wait, and what `make` throws. */
export async function answerOnce<Answer extends { bytes: Uint8Array }>(
  { catalog, gate, reads, results, limits }: AnswerDependencies,
  { selection, form, signal, kept }: Question<Answer>,
  make: () => Promise<NewAnswer<Answer>>,
): Promise<Answer> {
  using _turn = await gate.enter(signal);
  using _reading = reads.enter();
  const question = questionOf(selection, form);
  // Asked for before the inputs are: what comes meanwhile makes it an old one.
  const { version } = catalog;
  if (question !== undefined) {
    const { selector, interval } = selection;
    const query = { selector, ...(interval && { interval }), limit: limits.mergeProfiles };
    const known = await results.get<Answer>(question, version, () => catalog.coverageFingerprint(query));
    if (known) {
      await kept?.(known);
      return known;
    }
  }
  const { answer, fingerprint } = await make();
  if (question !== undefined && fingerprint !== undefined) results.put(question, { fingerprint, version }, answer);
  return answer;
}

/** Equal for questions that the same profiles answer alike; undefined where that is not worth keeping. */
function questionOf({ selector, interval, ids, maxProfiles }: Selection, form: readonly unknown[]): string | undefined {
  if (ids !== undefined || maxProfiles !== undefined) return undefined;
  const window = interval && [`${interval.startNs}`, `${interval.endNs}`];
  const presence = selector.labels.map(({ mustExist }) => mustExist === true);
  return JSON.stringify([formatSelector(selector), presence, window, ...form]);
}
