// Which protocols one port may speak, by the names that settings use; which are on, and where two want the same path.

import type { Route } from "./router.ts";

export const PROTOCOLS = ["profusion", "profefe", "autopgo", "pgo-fleet", "pcapture"] as const;
export type ProtocolName = (typeof PROTOCOLS)[number];

export interface Protocol {
  readonly name: ProtocolName;
  readonly routes: readonly Route[];
}

/** All, or those of `enable` where it names any; less those of `disable`. */
export function isEnabled(
  name: ProtocolName,
  { enable, disable }: { enable: readonly ProtocolName[]; disable: readonly ProtocolName[] },
): boolean {
  return (enable.length === 0 || enable.includes(name)) && !disable.includes(name);
}

/** A sentence for each pattern of paths that two protocols want, saying who has it. */
export function sharedPaths(protocols: readonly Protocol[]): string[] {
  const all = protocols.flatMap(({ name, routes }) => routes.map((route) => ({ name, route })));
  const shared = all.flatMap((first, at) =>
    all
      .slice(at + 1)
      .filter((second) => second.name !== first.name)
      .flatMap((second) => {
        const winner = winnerOf(first.route, second.route);
        if (winner === undefined) return [];
        const [has, lacks] = winner === first.route ? [first, second] : [second, first];
        return [
          `${has.name} has ${has.route.path}, which ${lacks.name} wants too: --disable the one that is not needed`,
        ];
      }),
  );
  return [...new Set(shared)];
}

/** As the router decides it: the same pattern is the first one's, else the longer one has it. Undefined where no request fits both. */
function winnerOf(first: Route, second: Route): Route | undefined {
  if (first.path === second.path) return shareMethod(first, second) ? first : undefined;
  if (covers(first.path, second.path)) return second;
  if (covers(second.path, first.path)) return first;
  return undefined;
}

function covers(pattern: string, path: string): boolean {
  return pattern.endsWith("*") && path.startsWith(pattern.slice(0, -1));
}

function shareMethod(first: Route, second: Route): boolean {
  return first.method === second.method || first.method === "*" || second.method === "*";
}
