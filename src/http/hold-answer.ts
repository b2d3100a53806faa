// Large answers take their bytes from a budget until their clients have read them. How they are sent is the protocols' own.

import type { ByteBudget } from "./byte-budget.ts";
import type { HttpResponse } from "./exchange.ts";

/**
 * Takes the bytes of an answer before they are read or sent; they come back when the response has closed. `signal` aborts when the
 * client leaves. Throws `exhausted` when there is no place in time, `cancelled` when the client has left.
 */
export async function holdAnswer(
  response: HttpResponse,
  sizeBytes: number,
  budget: ByteBudget,
  signal: AbortSignal,
): Promise<void> {
  const reservation = budget.open(signal);
  response.once("close", () => reservation[Symbol.dispose]());
  await reservation.grow(sizeBytes);
}
