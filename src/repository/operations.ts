// Work that goes on when whoever asked for it has left: one of a kind at a time, one more that waits, and the latest are
// remembered.

import { DomainError, type ErrorMessage, toErrorMessage } from "../model/errors.ts";
import { quote } from "../model/text.ts";

export interface Operation<Result> {
  readonly id: string;
  readonly startNs: bigint;
  readonly endNs?: bigint;
  /** What it does now, for people. */
  readonly progress: string;
  readonly error?: ErrorMessage;
  readonly result?: Result;
}

type Work<Result> = (tell: (progress: string) => void) => Promise<Result>;

interface Running<Result> {
  state: Operation<Result>;
  ended: Promise<void>;
}

const REMEMBERED = 100;

export class Operations<Result> {
  readonly #nowNs: () => bigint;
  readonly #known = new Map<string, Running<Result>>();
  /** By kind: the one that runs, and the one that will when that has ended. */
  readonly #running = new Map<string, Running<Result>>();
  readonly #waiting = new Map<string, Running<Result>>();

  constructor(nowNs: () => bigint) {
    this.#nowNs = nowNs;
  }

  /** The one of this kind that runs, or a new one. */
  start(kind: string, work: Work<Result>): Operation<Result> {
    return (this.#running.get(kind) ?? this.#begin(kind, work)).state;
  }

  /** One that has not begun yet: what runs may have passed over what is there by now. All who ask while one runs share the next. */
  startAnew(kind: string, work: Work<Result>): Operation<Result> {
    const running = this.#running.get(kind);
    if (running === undefined) return this.#begin(kind, work).state;
    const waiting = this.#waiting.get(kind) ?? this.#await(running, kind, work);
    return waiting.state;
  }

  #await(running: Running<Result>, kind: string, work: Work<Result>): Running<Result> {
    const waiting = this.#add(kind, async (tell) => {
      tell("waits for the one that runs");
      await running.ended;
      this.#waiting.delete(kind);
      this.#running.set(kind, waiting);
      return work(tell);
    });
    this.#waiting.set(kind, waiting);
    return waiting;
  }

  #begin(kind: string, work: Work<Result>): Running<Result> {
    const operation = this.#add(kind, work);
    this.#running.set(kind, operation);
    return operation;
  }

  #add(kind: string, work: Work<Result>): Running<Result> {
    const id = `${kind}-${crypto.randomUUID()}`;
    const operation: Running<Result> = {
      state: { id, startNs: this.#nowNs(), progress: "" },
      ended: Promise.resolve(),
    };
    const change = (fields: Partial<Operation<Result>>) => {
      operation.state = { ...operation.state, ...fields };
    };
    operation.ended = work((progress) => change({ progress }))
      .then(
        (result) => change({ result, progress: "", endNs: this.#nowNs() }),
        (error) => change({ error: toErrorMessage(error), progress: "", endNs: this.#nowNs() }),
      )
      .then(() => {
        if (this.#running.get(kind) === operation) this.#running.delete(kind);
      });
    this.#known.set(id, operation);
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
    return operation;
  }

  /** As it is when it ends, or after `maxWaitMs`. Throws `not-found`. */
  async get(id: string, maxWaitMs: number): Promise<Operation<Result>> {
    const operation = this.#known.get(id);
    if (operation === undefined) {
      throw new DomainError("not-found", `There is no operation ${quote(id)}: the latest ${REMEMBERED} are known`);
    }
    if (maxWaitMs > 0 && operation.state.endNs === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, maxWaitMs).unref();
      await Promise.race([promise, operation.ended]);
      clearTimeout(timer);
    }
    return operation.state;
  }

  /** Resolves when none runs. */
  async idle(): Promise<void> {
    await Promise.all([...this.#known.values()].map(({ ended }) => ended));
  }
}
