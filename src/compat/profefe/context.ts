// What the handlers of profefe's API work with.

import type { Access, Grant } from "../../http/access.ts";
import type { ByteBudget } from "../../http/byte-budget.ts";
import type { Limits } from "../../model/limits.ts";
import type { Repository } from "../../repository/repository.ts";

export interface ProfefeOptions {
  access: Access;
  limits: Limits;
  /** Of this program. */
  version: string;
  nowNs: () => bigint;
  /** Shared with everything else that reads bodies. */
  budget: ByteBudget;
  /** Shared with everything else that answers profiles. */
  answers: ByteBudget;
}

export interface ProfefeContext extends ProfefeOptions {
  repository: Repository;
  /** Of the one who asks. */
  grant: Grant;
}

/** As settings and messages name it. */
export const PROTOCOL = "profefe";
export const PROFILES_PATH = "/api/0/profiles";
