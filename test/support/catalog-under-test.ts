// The catalog that a contract's test speaks to, and the queries that most tests ask of it.

import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { formatProfileId } from "../../src/model/profile-id.ts";
import { EVERYTHING, parseSelector, type Selector } from "../../src/model/selector.ts";
import type { Interval } from "../../src/model/time.ts";
import type { Catalog, FindQuery, InsertOutcome, ListQuery, NewProfile } from "../../src/storage/catalog.ts";
import { BASE_NS } from "./catalog-profile.ts";

export class CatalogUnderTest {
  /** A new one for each test. */
  catalog!: Catalog;

  insert(...profiles: NewProfile[]): Promise<InsertOutcome[]> {
    return this.catalog.insert(profiles);
  }

  /** The ids, newest first. */
  async find(text: string, more: Partial<FindQuery> = {}): Promise<string[]> {
    const found = await this.catalog.find({ selector: selector(text), order: "newest", limit: 100, ...more });
    return found.map(({ id }) => id);
  }
}

export function selector(text: string): Selector {
  return parseSelector(text, DEFAULT_LIMITS);
}

export function idOf({ id }: NewProfile): string {
  return formatProfileId(id);
}

export function list(query: Partial<ListQuery> = {}): ListQuery {
  return { selector: EVERYTHING, prefix: "", limit: 100, ...query };
}

/** Of BASE_NS. */
export function seconds(from: number, to: number): Interval {
  return { startNs: BASE_NS + BigInt(from) * 1_000_000_000n, endNs: BASE_NS + BigInt(to) * 1_000_000_000n };
}
