// The twelve selectors whose pages are timed. Profiles: bench/catalog-data.ts; there, versions before 0.10.0 are dead.

import { FLEET_END_NS } from "./catalog-data.ts";

export interface PageCase {
  name: string;
  selector: string;
  /** Only the last day; else windows that end anywhere in the thirty days. */
  lastDay?: true;
  /** Nothing can match. */
  empty?: true;
}

export const PAGE_CASES: readonly PageCase[] = [
  { name: "everything", selector: "{}" },
  { name: "oneService", selector: '{service="service-00"}' },
  { name: "oneServiceAndType", selector: 'cpu{service="service-00"}' },
  { name: "oneInstance", selector: 'cpu{service="service-00",instance="i-04"}' },
  { name: "threeLabels", selector: 'cpu{service="service-03",version="0.10.0",region="eu",env="prod"}', lastDay: true },
  { name: "deadVersion", selector: 'cpu{service="service-03",version="0.1.0"}' },
  { name: "deadVersionToday", selector: 'cpu{service="service-03",version="0.1.0"}', lastDay: true, empty: true },
  { name: "instanceRegexp", selector: 'cpu{service="service-00",instance=~"i-[0-3][5-9]"}' },
  { name: "deadVersionsRegexp", selector: 'cpu{version=~"0[.][1-3][.]0"}' },
  { name: "notTheLiveVersion", selector: 'cpu{service="service-00",version!="0.10.0"}' },
  { name: "negatedRegexp", selector: 'heap{region!~"eu|us",env!="staging"}' },
  { name: "rareLabel", selector: '{canary="true"}' },
];

const DAY_NS = 86_400_000_000_000n;
export const LAST_DAY = { startNs: FLEET_END_NS - DAY_NS, endNs: FLEET_END_NS };
