// What the catalog says of a pack, and whether a file is that pack: a sound pack in the place of another one is damage like any other.

import { DomainError } from "../model/errors.ts";
import { type Shape, shapeSignature } from "../model/shape.ts";
import { quote } from "../model/text.ts";
import type { Pack } from "../pack/format.ts";
import type { PackProfiles } from "../pack/pack-profiles.ts";
import type { PackFile, PackSet } from "../storage/pack-catalog.ts";

/** Plain data, for threads. */
export interface PackPlace {
  readonly packId: number;
  readonly service: string;
  readonly type: string;
  /** signatureOf(). */
  readonly shape: string;
  readonly profiles: number;
  readonly sizeBytes: number;
  /** Of its set: half-open. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** Of its set: both included. */
  readonly seqFrom: number;
  readonly coversSeq: number;
}

/** `names` are those of the set's key, Catalog.packNames(). */
export function placeOf(
  { startNs, endNs, seqFrom, coversSeq }: PackSet,
  { packId, profiles, sizeBytes }: PackFile,
  { service, type, shape }: { service: string; type: string; shape: Shape },
): PackPlace {
  const window = { startNs, endNs, seqFrom, coversSeq };
  return { packId, service, type, shape: signatureOf(shape), profiles, sizeBytes, ...window };
}

/** By its size and what its head says. Throws `unavailable`. */
export function checkHead({ signature, profiles }: Pack, sizeBytes: number, place: PackPlace): void {
  const { service, type, shape } = signature;
  if (service !== place.service || type !== place.type) {
    misplaced(`its profiles are of ${type} of ${quote(service)}, not of ${place.type} of ${quote(place.service)}`);
  }
  if (signatureOf(shape) !== place.shape) misplaced("its profiles are of another shape");
  if (profiles !== place.profiles) misplaced(`it has ${profiles} profiles, not ${place.profiles}`);
  if (sizeBytes !== place.sizeBytes) misplaced(`it has ${sizeBytes} bytes, not ${place.sizeBytes}`);
}

/** By times and seqs. Throws `unavailable`. */
export function checkRows(
  { count, timesNs, seqs }: Pick<PackProfiles, "count" | "timesNs" | "seqs">,
  place: PackPlace,
) {
  const { startNs, endNs } = place;
  const [seqFrom, coversSeq] = [BigInt(place.seqFrom), BigInt(place.coversSeq)];
  for (let row = 0; row < count; row++) {
    if (timesNs[row]! < startNs || timesNs[row]! >= endNs) misplaced(`profile ${row} is of another time`);
    if (seqs[row]! < seqFrom || seqs[row]! > coversSeq) misplaced(`profile ${row} is of another set`);
  }
}

/** Packs do not tell what their numbers are. */
function signatureOf({ columns, periodType }: Shape): string {
  return shapeSignature({ periodType, columns: columns.map(({ type, unit }) => ({ type, unit })) });
}

function misplaced(how: string): never {
  throw new DomainError("unavailable", `It is not the pack that the catalog names: ${how}`);
}
