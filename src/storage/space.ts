// When a store refuses uploads for want of space: a reserve stays free, so that reads, deletions and the catalog live on.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";

export interface Space {
  freeBytes: number;
  totalBytes: number;
}

const RESERVED_SHARE = 0.02;

/** Throws `unavailable` (`disk-full`) where less than the reserve is free: 2 % of the disk, within the limits' minimum and maximum. */
export function assertSpace({ freeBytes, totalBytes }: Space, limits: Limits): void {
  const share = Math.ceil(totalBytes * RESERVED_SHARE);
  const reserve = Math.max(limits.diskReserveMinBytes, Math.min(share, limits.diskReserveMaxBytes));
  if (freeBytes >= reserve) return;
  throw diskFull(`${freeBytes} bytes are free, and ${reserve} are kept in reserve; delete profiles or add space`);
}

export function diskFull(reason: string, cause?: unknown): DomainError {
  return new DomainError("unavailable", `Cannot store anything now, the disk is full: ${reason}`, {
    subject: "disk-full",
    cause,
  });
}
