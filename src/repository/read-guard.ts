// Reads under way, so that what a read may still need is unlinked only after it. Rows go first, bytes last.

export class ReadGuard {
  readonly #reading = new Set<Promise<void>>();

  /** Take it before asking the catalog: what the catalog then names stays readable until it is disposed. */
  enter(): Disposable {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reading.add(promise);
    return {
      [Symbol.dispose]: () => {
        this.#reading.delete(promise);
        resolve();
      },
    };
  }

  /** Resolves when every read that is under way now has ended; later ones are not waited for. */
  async drained(): Promise<void> {
    await Promise.all([...this.#reading]);
  }
}
