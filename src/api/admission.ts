// Whether a call of the contract may be made, and as whom: the handler of HTTP asks, the services are told. Refused calls fail before their
// body is read, in the form of whatever protocol they speak.

import { createContextKey, type Interceptor } from "@connectrpc/connect";
import type { Logger } from "pino";
import type { Grant } from "../http/access.ts";
import { boundService } from "../http/bound.ts";
import { toConnectError } from "./errors.ts";

/** Undefined where a call has no network, and for services that ask nobody. */
export const grantKey = createContextKey<Grant | undefined>(undefined, { description: "grant" });
/** Why the call is refused, where it is. */
export const refusalKey = createContextKey<unknown>(undefined, { description: "refusal" });

/** What stands in the place of a refused call's body. */
// biome-ignore lint/correctness/useYield: it is read as any other body, and has nothing
export async function* refusedBody(refused: unknown, logger: Logger): AsyncGenerator<Uint8Array> {
  throw toConnectError(refused, logger);
}

/** Of calls without a body to read; and a key that is bound to a service asks of no other. What it writes, pushRequest() binds. */
export const onlyAdmitted: Interceptor = (next) => (request) => {
  const refused = request.contextValues.get(refusalKey);
  if (refused !== undefined) throw refused;
  const grant = request.contextValues.get(grantKey);
  if (grant?.service !== undefined && !request.stream) {
    const { service, question } = request.message as { service?: unknown; question?: { service?: unknown } };
    const asked = service ?? question?.service;
    if (typeof asked === "string") boundService(grant, asked);
  }
  return next(request);
};
