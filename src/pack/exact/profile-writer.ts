// A profile and its form → the bytes that were uploaded (inflated). Which writer a form means is told by its first byte.

import { DomainError } from "../../model/errors.ts";
import { WireReader } from "../../pprof/wire-reader.ts";
import { writeGoRuntime } from "./go-runtime.ts";
import { parseSkeleton, type Skeleton } from "./message-layout.ts";
import { StoredOrders } from "./stored-orders.ts";
import { type OrderSource, planTables } from "./table-plan.ts";
import { writeTables } from "./tables.ts";
import { WriteState } from "./write-state.ts";
import type { WrittenForm, WrittenProfile } from "./written-profile.ts";

/** The first byte of a skeleton. Numbers are never used again for another writer. */
export const WRITER = { goRuntime: 1, tables: 2 } as const;

export class ProfileWriter {
  readonly #state = new WriteState();
  readonly #reader = new WireReader();

  /**
   * The bytes: a view that is valid until the next write. Throws DomainError `unavailable` for a form that is not known or does not
   * fit the profile.
   */
  write(profile: WrittenProfile, form: WrittenForm): Uint8Array {
    const state = this.#state;
    state.start(profile);
    const skeleton = form.skeleton.subarray(1);
    if (form.skeleton[0] === WRITER.goRuntime) writeGoRuntime(state, profile, skeleton);
    else if (form.skeleton[0] === WRITER.tables) {
      this.#reader.open(form.orders);
      const layout = parseSkeleton(skeleton);
      writeTables(state, profile, layout, planTables(state, profile, layout, new StoredOrders(this.#reader)));
    } else
      throw new DomainError(
        "unavailable",
        `Cannot write a profile again: its form is of writer ${form.skeleton[0]}, known are 1 and 2`,
      );
    return state.bytes.subarray(0, state.at);
  }

  /** Asks `orders` all that a form of tables needs to know of them, and writes nothing: for learning them. */
  plan(profile: WrittenProfile, skeleton: Skeleton, orders: OrderSource): void {
    this.#state.start(profile);
    planTables(this.#state, profile, skeleton, orders);
  }
}
