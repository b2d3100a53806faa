// What became of each thing that `push` was to send.

import type { DomainError } from "../../model/errors.ts";
import type { Label } from "../../model/labels.ts";

/** What is said of a profile beside its bytes. */
export interface ProfileName {
  service: string;
  type: string;
  labels: readonly Label[];
}

export type Outcome =
  /** The server has it, and says so. `startTimeNs` is the one that it goes by; `hasReceiptTime` where that is the time of its receipt. */
  | {
      state: "stored";
      id: string;
      alreadyExisted: boolean;
      warnings: readonly string[];
      named: ProfileName;
      startTimeNs: bigint;
      hasReceiptTime: boolean;
    }
  /** An earlier run of this push had it acknowledged. */
  | { state: "resumed"; id: string }
  /** As it is, it cannot be stored: said here, or by the server. */
  | { state: "refused"; failure: DomainError }
  /** The push stopped before it was acknowledged; the next run sends it. */
  | { state: "unsent" }
  /** Of a dry run: what would be sent. The name is undefined where the content would have to be fetched, the time where it has none. */
  | {
      state: "planned";
      service: string;
      type: string | undefined;
      labels: readonly Label[];
      timeNs: bigint | undefined;
      warnings: readonly string[];
    };
