// What the packer tells of, for metrics and logs.

import type { PackPlan } from "./pack-policy.ts";
import type { RefusalReason } from "./pack-run.ts";

export type PackEvent =
  | {
      kind: "packed";
      reason: PackPlan["reason"];
      profiles: number;
      /** Of these, those that have their bytes in the pack. */
      kept: number;
      packs: number;
      bytes: number;
      durationMs: number;
    }
  /** How long the earliest profile that is due has waited since its receipt, and how many sets could not be made. */
  | { kind: "pack-backlog"; seconds: number; failed: number }
  | { kind: "pack-refused"; reason: RefusalReason; profiles: number; message: string }
  | { kind: "pack-damage"; message: string }
  | { kind: "pack-failed"; message: string; error: unknown };
