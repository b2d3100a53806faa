// Which stored profile an upload repeats: by its request id, or by its bytes and series where its time is that of its receipt.

import type { NewProfile, StoredProfile } from "../catalog.ts";
import { RECEIPT_WINDOW_NS, REQUEST_LIFE_NS } from "../retry-window.ts";
import { compareSeries } from "../series-key.ts";
import { sign } from "./order.ts";

export class Retries {
  readonly #requests = new Map<string, { id: string; receivedNs: bigint }>();

  earlier(profile: NewProfile, among: readonly StoredProfile[]): StoredProfile | undefined {
    const request = profile.requestId === undefined ? undefined : this.#requests.get(profile.requestId);
    if (request && request.receivedNs >= profile.receivedNs - REQUEST_LIFE_NS) {
      const named = among.find(({ id }) => id === request.id);
      if (named) return named;
    }
    const repeats = (stored: StoredProfile) =>
      profile.timeSource === "receipt" &&
      stored.timeSource === "receipt" &&
      Buffer.compare(stored.digest, profile.digest) === 0 &&
      compareSeries(stored, profile) === 0 &&
      stored.receivedNs >= profile.receivedNs - RECEIPT_WINDOW_NS &&
      stored.receivedNs <= profile.receivedNs + RECEIPT_WINDOW_NS;
    const [retry] = among.filter(repeats).sort((a, b) => sign(a.receivedNs - b.receivedNs));
    return retry;
  }

  /** `id` is that of the profile which a later upload with this request id repeats. */
  remember({ requestId, receivedNs }: NewProfile, id: string): void {
    if (requestId === undefined) return;
    const known = this.#requests.get(requestId)?.receivedNs ?? receivedNs;
    this.#requests.set(requestId, { id, receivedNs: known > receivedNs ? known : receivedNs });
  }
}
