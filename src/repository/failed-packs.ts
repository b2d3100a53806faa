// Pack sets that could not be made: by window, when each is tried again. A window that fails again and again is tried ever less often.

import { DAY_NS, type PackPlan } from "./pack-policy.ts";

/** After the first failure; twice that after the next one, and so on. */
const FIRST_WAIT_NS = 900_000_000_000n;
const LONGEST_WAIT_NS = DAY_NS;

interface Failure {
  window: Window;
  waitNs: bigint;
  untilNs: bigint;
}

export class FailedPacks {
  readonly #failures = new Map<string, Failure>();

  get count(): number {
    return this.#failures.size;
  }

  note(plan: PackPlan, nowNs: bigint): void {
    const before = this.#failures.get(windowOf(plan.request));
    const waitNs = before === undefined ? FIRST_WAIT_NS : before.waitNs * 2n;
    const cut = waitNs < LONGEST_WAIT_NS ? waitNs : LONGEST_WAIT_NS;
    this.#failures.set(windowOf(plan.request), { window: plan.request, waitNs: cut, untilNs: nowNs + cut });
  }

  /** A set of its window was made, which is of all windows inside too. */
  succeeded({ request }: PackPlan): void {
    for (const [name, { window }] of this.#failures) if (isInside(window, request)) this.#failures.delete(name);
  }

  /** `plans` is all that is to be done now: what is not among them, though its wait is over, need not be done any more. */
  keepOnly(plans: readonly PackPlan[], nowNs: bigint): void {
    const planned = new Set(plans.map(({ request }) => windowOf(request)));
    for (const [name, { untilNs }] of this.#failures) {
      if (untilNs <= nowNs && !planned.has(name)) this.#failures.delete(name);
    }
  }

  /** Whether a set of this window is not to be tried yet. */
  isWaiting(window: Window, nowNs: bigint): boolean {
    const failure = this.#failures.get(windowOf(window));
    return failure !== undefined && failure.untilNs > nowNs;
  }
}

type Window = Pick<PackPlan["request"], "serviceId" | "typeId" | "shapeId" | "startNs" | "endNs">;

function isInside(inner: Window, outer: Window): boolean {
  const isSameKey =
    inner.serviceId === outer.serviceId && inner.typeId === outer.typeId && inner.shapeId === outer.shapeId;
  return isSameKey && inner.startNs >= outer.startNs && inner.endNs <= outer.endNs;
}

function windowOf({ serviceId, typeId, shapeId, startNs, endNs }: Window): string {
  return `${serviceId} ${typeId} ${shapeId} ${startNs} ${endNs}`;
}
