// How damage of a pack is told: always with the name of the section, as damaged blobs are told with their place.

import { DomainError } from "../model/errors.ts";

/** Throws `unavailable`. `section` is a name as `sectionName` of format.ts gives it, or "directory". */
export function damagedPack(section: string, how: string): never {
  throw new DomainError("unavailable", `Cannot read the pack: section ${section} is damaged: ${how}`);
}
