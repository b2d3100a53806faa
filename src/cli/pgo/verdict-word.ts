// The contract's verdicts as words, and back.

import { PgoVerdict } from "../../../gen/profusion/v1/pgo_service_pb.ts";
import type { Required } from "./question.ts";

export function verdictWord(verdict: PgoVerdict = PgoVerdict.UNSPECIFIED): string {
  const named = Object.entries(PgoVerdict).find(([, value]) => value === verdict);
  return named === undefined || verdict === PgoVerdict.UNSPECIFIED ? "not judged" : named[0].toLowerCase();
}

/** Nothing: anything that is not unusable. */
export function requiredVerdict(word: Required | undefined): PgoVerdict {
  return word === undefined ? PgoVerdict.UNSPECIFIED : PgoVerdict[word.toUpperCase() as Uppercase<Required>];
}
