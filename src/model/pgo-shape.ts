// Which profiles the Go compiler can read: those with one of its columns. What it makes of them is src/pgo's.

import { DomainError } from "./errors.ts";
import type { Shape } from "./shape.ts";

const COLUMNS = ["samples/count", "cpu/nanoseconds"];

/** Throws `invalid`, naming the columns that there are. */
export function checkPgoShape(shape: Shape | undefined): void {
  const found = shape?.columns.map(({ type, unit }) => `${type}/${unit}`) ?? [];
  if (found.some((column) => COLUMNS.includes(column))) return;
  throw new DomainError(
    "invalid",
    `Cannot take a profile with the columns ${found.join(", ") || "(none)"}: a CPU profile has ${COLUMNS.join(" or ")}`,
  );
}
