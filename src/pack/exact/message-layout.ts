// How a writer lays out each kind of message, and a profile's outermost fields: what the skeleton of a form of tables says.
// An entry is a byte: the field's number, and what happens to zeros. Entries stand in the order in which fields are written.

import { DomainError } from "../../model/errors.ts";

/** Added to a field's number: the field is written when it is zero, too. Else it is left out. */
export const WRITES_ZERO = 0x20;

/** The messages of a profile, in the order in which a skeleton has their layouts. */
export const MESSAGES = ["valueType", "sample", "label", "mapping", "location", "line", "function"] as const;
export type MessageKind = (typeof MESSAGES)[number];
export type Layouts = Record<MessageKind, Uint8Array>;

/**
 * How repeated numbers are written: a bit for each count of them (0, 1, 2, more) that is packed, a set bit 0 meaning that an
 * empty list is written, too; from bit 4 on the bytes that the length of the packed list takes, or 0 for as few as it can.
 */
export type Packing = number;

export function isPacked(packing: Packing, count: number): boolean {
  return (packing & (1 << Math.min(count, 3))) !== 0;
}

export const PACKING_LENGTH_SHIFT = 4;

/** How the order of a table is guessed from the rows; what the guess misses is stored. */
export interface Guess {
  /** Locations are numbered from the root of each stack, else from its leaf. */
  isRootFirst: boolean;
  /** Strings are numbered sample by sample, each with its new functions before its labels; else table by table as written. */
  isStreamed: boolean;
}

/** A form of tables: each table as a whole, wherever its tag stands among the outermost ones. */
export interface Skeleton {
  guess: Guess;
  layouts: Layouts;
  locationPacking: Packing;
  valuePacking: Packing;
  /** Of the outermost fields, in order. A table's tag stands once, sample types and single comments once for each. */
  tags: Uint8Array;
}

const FIXED_BYTES = 3;

/** Without the byte that names the writer. */
export function skeletonBytes({ guess, layouts, locationPacking, valuePacking, tags }: Skeleton): Uint8Array {
  const bytes = [(guess.isRootFirst ? 1 : 0) | (guess.isStreamed ? 2 : 0), locationPacking, valuePacking];
  for (const kind of MESSAGES) bytes.push(layouts[kind].length, ...layouts[kind]);
  return Uint8Array.from([...bytes, ...tags]);
}

/** Reads what skeletonBytes wrote. Throws DomainError `unavailable` when it is cut short. */
export function parseSkeleton(bytes: Uint8Array): Skeleton {
  const layouts = {} as Layouts;
  let at = FIXED_BYTES;
  for (const kind of MESSAGES) {
    const end = at + 1 + (bytes[at] ?? bytes.length);
    if (end > bytes.length)
      throw new DomainError(
        "unavailable",
        `Cannot write a profile again: the skeleton of its form is cut short in its layout of ${kind}`,
      );
    layouts[kind] = bytes.subarray(at + 1, end);
    at = end;
  }
  return {
    guess: { isRootFirst: (bytes[0]! & 1) !== 0, isStreamed: (bytes[0]! & 2) !== 0 },
    layouts,
    locationPacking: bytes[1]!,
    valuePacking: bytes[2]!,
    tags: bytes.subarray(at),
  };
}
