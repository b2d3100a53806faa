// When each version of a service was first seen, whenever that was: what is new is not told by a window, in which an old one may have a straggler.

import { earlierOf } from "../../model/time.ts";
import type { Catalog } from "../../storage/catalog.ts";
import { seriesKey } from "../../storage/series-key.ts";
import type { Selection } from "../repository.ts";
import { VERSION_LABEL } from "./input-facts.ts";

const SERIES_PER_READ = 10_000;

/** By the value of the label; "" for profiles without it. */
export async function versionsFirstSeen(
  catalog: Catalog,
  { selection: { selector } }: { selection: Selection },
): Promise<Map<string, bigint>> {
  const firstSeenNs = new Map<string, bigint>();
  for (let after: string | undefined; ; ) {
    const page = await catalog.series({
      selector,
      prefix: "",
      limit: SERIES_PER_READ,
      ...(after !== undefined && { after }),
    });
    for (const { labels, firstNs } of page) {
      const version = labels.find(({ name }) => name === VERSION_LABEL)?.value ?? "";
      firstSeenNs.set(version, earlierOf(firstNs, firstSeenNs.get(version) ?? firstNs));
    }
    if (page.length < SERIES_PER_READ) return firstSeenNs;
    after = seriesKey(page.at(-1)!);
  }
}
