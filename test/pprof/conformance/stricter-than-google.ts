// The rules of test/pprof/stricter-than-google.md, which says why each refuses what google/pprof accepts.

import { readFileSync } from "node:fs";

/** The part of a message that tells a rule, the first column of its table. */
export function stricterRules(): string[] {
  const text = readFileSync(new URL("../stricter-than-google.md", import.meta.url), "utf8");
  return [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, rule]) => rule!);
}
