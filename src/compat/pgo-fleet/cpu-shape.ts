// Which profiles pgo-fleet's collector takes: CPU profiles as Go writes them, their two columns in either order.

import { DomainError } from "../../model/errors.ts";
import type { Shape } from "../../model/shape.ts";

const COLUMNS = ["cpu/nanoseconds", "samples/count"];

/** Throws `invalid`. */
export function checkSubmittedShape(shape: Shape | undefined): void {
  const { columns = [], periodType = { type: "", unit: "" } } = shape ?? {};
  const found = columns.map(({ type, unit }) => `${type}/${unit}`);
  const period = `${periodType.type}/${periodType.unit}`;
  if (period === "cpu/nanoseconds" && found.toSorted().join() === COLUMNS.join()) return;
  throw new DomainError(
    "invalid",
    `Cannot take a profile with the columns ${found.join(", ") || "(none)"} and the period ${period}: a CPU profile has samples/count and cpu/nanoseconds, and the period cpu/nanoseconds`,
  );
}
