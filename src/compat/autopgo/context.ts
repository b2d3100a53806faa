// What the handlers of autopgo's API work with, and which requests they are asked.

import type { Access, Grant } from "../../http/access.ts";
import type { ByteBudget } from "../../http/byte-budget.ts";
import type { Exchange } from "../../http/exchange.ts";
import type { Limits } from "../../model/limits.ts";
import type { Repository } from "../../repository/repository.ts";

export interface AutopgoOptions {
  limits: Limits;
  access: Access;
  nowNs: () => bigint;
  /** Shared with everything else that reads bodies. */
  budget: ByteBudget;
  /** Shared with everything else that answers profiles. */
  answers: ByteBudget;
}

export interface AutopgoContext extends AutopgoOptions {
  repository: Repository;
}

/** Of one app, by someone who may ask it. */
export interface AppRequest {
  exchange: Exchange;
  app: string;
  grant: Grant;
}

export const PROTOCOL = "autopgo";
export const PROFILES_PATH = "/api/profile";
