// What google/pprof's -top counts, said as simply as it can be: over a decoded profile, sample after sample, with texts for keys.

import { posix } from "node:path";
import type { Location, Profile } from "../../src/pprof/profile.ts";

export interface NaiveRow {
  flat: bigint;
  cum: bigint;
}

/** By name, as -top shows it; without rows of two zeros. */
export function naiveTop(profile: Profile, column: number, by: "function" | "line" | "file"): Map<string, NaiveRow> {
  const rows = new Map<string, NaiveRow>();
  const row = (name: string) => {
    const found = rows.get(name) ?? { flat: 0n, cum: 0n };
    rows.set(name, found);
    return found;
  };
  const locations = new Map(profile.locations.map((location) => [location.id, location]));
  const matcher = dropMatcher(profile);
  for (const { values, locationIds } of profile.samples) {
    const value = values[column]!;
    const stack = pruned(
      locationIds.map((id) => locations.get(id)!),
      profile,
      matcher,
    );
    const names = stack.flatMap(({ location, lines }) => namesOf(profile, location, lines, by));
    if (names.length > 0) row(names[0]!).flat += value;
    for (const name of new Set(names)) row(name).cum += value;
  }
  for (const found of rows.values()) {
    found.flat = BigInt.asIntN(64, found.flat);
    found.cum = BigInt.asIntN(64, found.cum);
  }
  return new Map([...rows].filter(([, { flat, cum }]) => flat !== 0n || cum !== 0n));
}

type Lines = Location["lines"];
interface ShownLocation {
  location: Location;
  lines: Lines;
}
type Matcher = (name: string) => boolean;

function dropMatcher({ dropFrames, keepFrames }: Profile): Matcher {
  if (dropFrames === "") return () => false;
  const drops = new RegExp(`^(?:${dropFrames})$`);
  const keeps = keepFrames === "" ? undefined : new RegExp(`^(?:${keepFrames})$`);
  return (name) => drops.test(name) && !keeps?.test(name);
}

/** Leaf first. */
function pruned(stack: Location[], profile: Profile, isDropped: Matcher): ShownLocation[] {
  const lastDropped = stack.map(({ lines }) =>
    lines.findLastIndex(({ functionId }) => {
      const { name } = functionOf(profile, functionId);
      return name !== "" && isDropped(name.replace(/^\./, "").replace(/\(.*/s, ""));
    }),
  );
  const isWhole = (at: number) => lastDropped[at] === stack[at]!.lines.length - 1 && lastDropped[at]! >= 0;
  let first = 0;
  let hasUser = false;
  for (let at = stack.length - 1; at >= 0; at--) {
    if (lastDropped[at]! < 0) hasUser = true;
    else if (hasUser) {
      first = isWhole(at) ? at + 1 : at;
      break;
    }
  }
  return stack
    .map((location, at) => ({
      location,
      lines: isWhole(at) ? location.lines : location.lines.slice(lastDropped[at]! + 1),
    }))
    .slice(first);
}

function functionOf({ functions }: Profile, id: bigint) {
  return functions.find((fn) => fn.id === id)!;
}

function namesOf(profile: Profile, location: Location, lines: Lines, by: "function" | "line" | "file"): string[] {
  const binary = profile.mappings.find(({ id }) => id === location.mappingId)?.file ?? "";
  const unnamed = binary === "" ? "<unknown>" : `[${posix.basename(binary)}]`;
  if (lines.length === 0) return [unnamed];
  return lines.map(({ functionId, line }) => {
    const fn = functionOf(profile, functionId);
    const file = fn.file === "" ? "" : posix.normalize(fn.file).replace(/(.)\/$/, "$1");
    if (by === "function") return fn.name || unnamed;
    if (by === "file") return file || unnamed;
    return [fn.name, line === 0n ? file : `${file}:${line}`].filter((part) => part !== "").join(" ") || unnamed;
  });
}
