// Who may do what, as every protocol asks it. Keys and their files are not here.

import type { Labels } from "../model/labels.ts";
import type { Exchange } from "./exchange.ts";

export const SCOPES = ["write", "read", "pgo", "delete", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** What a caller may do, and as whom. */
export interface Grant {
  /** The key's id, else the remote address. */
  readonly submitter: string;
  /** Bound: the profile is of this service whatever the request says; a request that says another is forbidden. */
  readonly service?: string;
  /** Bound: added to what the request says. */
  readonly labels: Labels;
}

export interface Access {
  /** Throws `unauthenticated` or `forbidden`, `exhausted` over a rate. */
  admit(exchange: Exchange, scope: Scope, protocol: string): Grant;
}

/** Without keys everybody may do everything. */
export const OPEN_ACCESS: Access = {
  admit: (exchange) => ({ submitter: exchange.remoteAddress, labels: [] }),
};
