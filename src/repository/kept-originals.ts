// Where the bytes as they were sent are kept for some time after they are packed: gives up those whose time is over.

import { parseProfileId } from "../model/profile-id.ts";
import { earlierOf } from "../model/time.ts";
import type { Catalog, StoredProfile } from "../storage/catalog.ts";
import { paced } from "./pace.ts";
import { HOUR_NS } from "./pack-policy.ts";

/** Ids in one commit: uploads wait for no more. */
const SLICE = 100;

export class KeptOriginals {
  readonly #catalog: Catalog;
  readonly #keptNs: bigint;
  /** By segment: nothing in it can go before. */
  readonly #untilNs = new Map<number, bigint>();

  /** `keptNs`: since their receipt. */
  constructor(catalog: Catalog, keptNs: bigint) {
    this.#catalog = catalog;
    this.#keptNs = keptNs;
  }

  /** Answers how many went. */
  async release(nowNs: bigint, pace: number, checkStopped: () => void): Promise<number> {
    let released = 0;
    for (const { segmentId, live } of await this.#catalog.segments()) {
      if (live === 0 || (this.#untilNs.get(segmentId) ?? 0n) > nowNs) continue;
      checkStopped();
      const inside = await this.#catalog.profilesInSegment(segmentId, live);
      const packed = inside.filter((profile) => profile.packed);
      const due = packed.filter(({ receivedNs }) => receivedNs + this.#keptNs <= nowNs);
      for (let from = 0; from < due.length; from += SLICE) {
        const ids = due.slice(from, from + SLICE).map(({ id }) => parseProfileId(id)!);
        released += await paced(pace, () => this.#catalog.releaseOriginals(ids));
      }
      this.#untilNs.set(segmentId, this.#nextNs(packed, nowNs));
    }
    return released;
  }

  /** When the first of them may go; an hour from now where none is packed yet. */
  #nextNs(packed: readonly StoredProfile[], nowNs: bigint): bigint {
    const later = packed.map(({ receivedNs }) => receivedNs + this.#keptNs).filter((untilNs) => untilNs > nowNs);
    return later.reduce(earlierOf, nowNs + HOUR_NS);
  }
}
