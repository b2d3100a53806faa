// Work that goes on when whoever asked for it has left: one of a kind at a time, and the latest are remembered.

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

interface Running<Result> {
  state: Operation<Result>;
  ended: Promise<void>;
}

const REMEMBERED = 100;

export class Operations<Result> {
  readonly #nowNs: () => bigint;
  readonly #known = new Map<string, Running<Result>>();
  /** By kind. */
  readonly #running = new Map<string, string>();

  constructor(nowNs: () => bigint) {
    this.#nowNs = nowNs;
  }

  /** The one of this kind that runs, or a new one. */
  start(kind: string, work: (tell: (progress: string) => void) => Promise<Result>): Operation<Result> {
    const known = this.#known.get(this.#running.get(kind) ?? "");
    if (known) return known.state;
    const id = `${kind}-${crypto.randomUUID()}`;
    const operation: Running<Result> = {
      state: { id, startNs: this.#nowNs(), progress: "" },
      ended: Promise.resolve(),
    };
    const change = (fields: Partial<Operation<Result>>) => {
      operation.state = { ...operation.state, ...fields };
    };
    operation.ended = work((progress) => change({ progress })).then(
      (result) => change({ result, progress: "", endNs: this.#nowNs() }),
      (error) => change({ error: toErrorMessage(error), progress: "", endNs: this.#nowNs() }),
    );
    void operation.ended.then(() => this.#running.delete(kind));
    this.#running.set(kind, id);
    this.#known.set(id, operation);
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
    return operation.state;
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
