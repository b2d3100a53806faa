// Whether a profile says on which lines its functions begin. The Go compiler finds call sites by that.

import type { Limits } from "../model/limits.ts";
import { FUNCTION_STRIDE } from "./function-table.ts";
import { ProfileTables } from "./profile-tables.ts";

/** Of an inflated profile: whether any of its functions says it. Throws as summarize() does. */
export function hasStartLines(raw: Uint8Array, limits: Limits): boolean {
  const tables = new ProfileTables();
  tables.load(raw, limits);
  const { count, rows } = tables.functions;
  for (let at = 0; at < count * FUNCTION_STRIDE; at += FUNCTION_STRIDE)
    if (rows[at + 3] !== 0 || rows[at + 4] !== 0) return true;
  return false;
}
