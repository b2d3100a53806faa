// One page of a list of names with counts, as every list of the catalog is cut: prefix, place in UTF-8 order, limit.

import { compareUtf8 } from "../model/text.ts";
import type { ListQuery, NameCount } from "./catalog.ts";

export function pageOfNames(
  counts: Iterable<readonly [name: string, profiles: number]>,
  { prefix, after, limit }: Pick<ListQuery, "prefix" | "after" | "limit">,
): NameCount[] {
  const page = new Smallest<NameCount>(limit, (a, b) => compareUtf8(a.name, b.name));
  for (const [name, profiles] of counts) {
    if (profiles === 0 || !name.startsWith(prefix)) continue;
    if (after !== undefined && compareUtf8(name, after) <= 0) continue;
    page.add({ name, profiles });
  }
  return page.sorted();
}

/** The first `limit` entries in an order, of any number: sorting 100 000 names for a page of 100 takes a tenth of a second. */
export class Smallest<Entry> {
  readonly #limit: number;
  readonly #compare: (a: Entry, b: Entry) => number;
  #entries: Entry[] = [];
  /** The last of the first `limit`, when as many are known. */
  #bound: Entry | undefined;

  constructor(limit: number, compare: (a: Entry, b: Entry) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  add(entry: Entry): void {
    if (this.#bound !== undefined && this.#compare(entry, this.#bound) >= 0) return;
    this.#entries.push(entry);
    if (this.#entries.length < 2 * this.#limit + 64) return;
    this.#entries = this.sorted();
    this.#bound = this.#entries.at(-1);
  }

  sorted(): Entry[] {
    return this.#entries.sort(this.#compare).slice(0, this.#limit);
  }
}
