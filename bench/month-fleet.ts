// The fleet of merge-month: one service for thirty days, with a new release every three.

import type { FleetOptions } from "../src/fleet/fleet.ts";
import { fleetOptions, type Size } from "./generate.ts";

export interface MonthSize {
  size: Size;
  days: number;
  instances: number;
  perInstanceDay: number;
}

/** 650 100 and 12 900 profiles. */
export const MONTHS: Record<Size, MonthSize> = {
  full: { size: "full", days: 30, instances: 10, perInstanceDay: 2167 },
  small: { size: "small", days: 30, instances: 10, perInstanceDay: 43 },
};

export async function monthFleet({ size, days, instances, perInstanceDay }: MonthSize): Promise<FleetOptions> {
  const count = days * perInstanceDay;
  const perInstance = { full: count, small: count };
  const options = await fleetOptions(size, { services: ["api"], hours: days * 24, instances, perInstance });
  return { ...options, hoursPerRelease: 72 };
}
