// Gives up the bytes as they were sent of profiles that are packed, where that was not done when they were: they are kept for some time, or
// were packed while all were kept.

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
  /** By segment: nothing in it can go before; undefined: nothing ever. */
  readonly #untilNs = new Map<number, bigint | undefined>();

  /** `keptNs`: since their receipt. With 0 those that are loose are the business of whoever packs them. */
  constructor(catalog: Catalog, keptNs: bigint) {
    this.#catalog = catalog;
    this.#keptNs = keptNs;
  }

  /** Answers how many went. */
  async release(nowNs: bigint, pace: number, checkStopped: () => void): Promise<number> {
    let released = 0;
    const segments = await this.#catalog.segments();
    this.#forgetOthers(segments.map(({ segmentId }) => segmentId));
    for (const { segmentId, live } of segments) {
      if (live === 0 || !this.#isDue(segmentId, nowNs)) continue;
      checkStopped();
      const inside = await paced(pace, () => this.#catalog.profilesInSegment(segmentId, live));
      const due = inside.filter((profile) => profile.packed && this.#endNs(profile) <= nowNs);
      for (let from = 0; from < due.length; from += SLICE) {
        const ids = due.slice(from, from + SLICE).map(({ id }) => parseProfileId(id)!);
        released += await paced(pace, () => this.#catalog.releaseOriginals(ids));
      }
      this.#untilNs.set(segmentId, this.#nextNs(inside, nowNs));
    }
    return released;
  }

  #isDue(segmentId: number, nowNs: bigint): boolean {
    if (!this.#untilNs.has(segmentId)) return true;
    const untilNs = this.#untilNs.get(segmentId);
    return untilNs !== undefined && untilNs <= nowNs;
  }

  #forgetOthers(segmentIds: readonly number[]): void {
    const present = new Set(segmentIds);
    for (const segmentId of this.#untilNs.keys()) if (!present.has(segmentId)) this.#untilNs.delete(segmentId);
  }

  #endNs({ receivedNs }: StoredProfile): bigint {
    return receivedNs + this.#keptNs;
  }

  /** When the first of them, or of those that come, may go. Those that would have gone, were they packed, are looked at in an hour. */
  #nextNs(inside: readonly StoredProfile[], nowNs: bigint): bigint | undefined {
    if (this.#keptNs === 0n) return undefined;
    const later = inside.map((profile) => this.#endNs(profile)).filter((endNs) => endNs > nowNs);
    const waitsForPack = inside.some((profile) => !profile.packed && this.#endNs(profile) <= nowNs);
    if (waitsForPack) later.push(nowNs + HOUR_NS);
    return later.reduce(earlierOf, nowNs + this.#keptNs);
  }
}
