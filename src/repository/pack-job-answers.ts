// What the steps of a pack job answer: plain data, which crosses threads.

import type { ErrorKind } from "../model/errors.ts";

export interface AddAnswer {
  /** Positions in the rows that cannot be packed, and why. */
  refused: { at: number; reason: Refusal; message: string }[];
  /** Packs that could not be read, though the bytes as sent were there in their place. */
  damage: string[];
  /** The pack is full: finish it, and go on. */
  isFull: boolean;
  isDone: boolean;
}

/** What is a profile's own fault: to try it again does not help. */
export const REFUSALS = ["invalid", "conflict", "too-large"] as const satisfies ErrorKind[];
export type Refusal = (typeof REFUSALS)[number];

/** Without bytes it is not done yet. */
export interface FinishAnswer {
  bytes?: Uint8Array<ArrayBuffer>;
  profiles: number;
}

export interface VerifyAnswer {
  /** Profiles that are not what was sent. */
  differing: { at: number; message: string }[];
  /** Told when it is done: profiles of the pack that have their bytes in it, since nobody knows how they were written. */
  kept: number;
  isDone: boolean;
}
