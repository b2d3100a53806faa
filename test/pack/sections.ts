// A pack taken apart into its sections, and put together again with other ones: what damage looks like that checksums do not see.

import { encodePack, openPack, readSection, SECTION, type Section, type SectionKind } from "../../src/pack/format.ts";
import { allSteps } from "../../src/pack/steps.ts";
import { readerOf } from "./packing.ts";

export function sectionsOf(bytes: Uint8Array): Section[] {
  const pack = openPack(readerOf(bytes));
  return [...pack.entries.keys()].map((name) => {
    const [kind, part] = name.split(" ") as [SectionKind, string | undefined];
    return { kind, part: Number(part ?? 0), bytes: readSection(pack, kind, Number(part ?? 0)) };
  });
}

/** `change` answers the new content of a section, or undefined to leave it out. */
export function resealed(bytes: Uint8Array, change: (section: Section) => Uint8Array | undefined): Uint8Array {
  const { signature, profiles } = openPack(readerOf(bytes));
  const sections: Section[] = [];
  for (const section of sectionsOf(bytes)) {
    const changed = change(section);
    if (changed) sections.push({ ...section, bytes: changed });
  }
  return allSteps(encodePack(signature, profiles, sections, 1)).bytes;
}

/** Where each section lies in the pack, by its name. */
export function placesOf(bytes: Uint8Array): Map<string, { start: number; end: number }> {
  const places = new Map<string, { start: number; end: number }>();
  for (const [name, { offset, storedBytes }] of openPack(readerOf(bytes)).entries) {
    places.set(name, { start: offset, end: offset + storedBytes });
  }
  return places;
}

export const KINDS = Object.keys(SECTION) as SectionKind[];
