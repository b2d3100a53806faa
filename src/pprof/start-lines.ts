// Whether a profile says on which lines its functions begin. The Go compiler finds call sites by that.

import { decodeProfile } from "./decode.ts";

/** Whether so many functions with a start line are enough, of all that stacks name: half of them. A few may be of C or assembly. */
export function areMost(withStartLine: number, functions: number): boolean {
  return withStartLine * 2 >= functions && withStartLine > 0;
}

/** Of an inflated profile: whether most of the functions in its stacks say it. Throws `invalid` where it is no profile. */
export function hasStartLines(raw: Uint8Array): boolean {
  const { samples, locations, functions } = decodeProfile(raw, { encoding: "latin1" });
  const linesOf = new Map(locations.map(({ id, lines }) => [id, lines]));
  const used = new Set<bigint>();
  for (const id of new Set(samples.flatMap(({ locationIds }) => locationIds))) {
    for (const { functionId } of linesOf.get(id) ?? []) used.add(functionId);
  }
  // Equal ones are one, as in a pack.
  const inStacks = functions.filter(({ id }) => used.has(id));
  const named = new Map(
    inStacks.map((fn) => [JSON.stringify([fn.name, fn.systemName, fn.file, `${fn.startLine}`]), fn]),
  );
  return areMost([...named.values()].filter(({ startLine }) => startLine !== 0n).length, named.size);
}
