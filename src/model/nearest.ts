// "Did you mean …?": the known name that is nearest to one that is not known.

import { distance } from "fastest-levenshtein";

/** Edits beyond a third of the name are another name. */
const EDITS_PER_CHARACTER = 1 / 3;

/** `; did you mean body_bytes?`, or nothing where no candidate is near. A `prefix` that all have makes none of them nearer. */
export function didYouMean(written: string, candidates: readonly string[], prefix = ""): string {
  const own = written.length - prefix.length;
  const ranked = candidates
    .map((name) => ({ name, edits: edits(written.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const [nearest] = ranked;
  const isNear = nearest !== undefined && nearest.edits <= Math.max(1, Math.floor(own * EDITS_PER_CHARACTER));
  return isNear ? `; did you mean ${nearest.name}?` : "";
}

/** Two letters that changed places are one edit: dve for dev. */
function edits(a: string, b: string): number {
  const count = distance(a, b);
  const letters = (text: string) => [...text].sort().join("");
  return count === 2 && letters(a) === letters(b) ? 1 : count;
}
