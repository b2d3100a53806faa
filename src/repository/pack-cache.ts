// Decoded packs, the latest used within a bound of bytes. Threads decode; what they decoded is kept here and handed to whichever needs it.

import type { SharedTables } from "./shared-tables.ts";

/** heads: who is in the pack. tables: what their samples refer to. */
export type PackPart = "heads" | "tables";

export class PackCache {
  readonly #maxBytes: number;
  readonly #parts = new Map<string, SharedTables>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(packId: number, part: PackPart): SharedTables | undefined {
    const key = `${packId} ${part}`;
    const found = this.#parts.get(key);
    if (found === undefined) return undefined;
    this.#parts.delete(key);
    this.#parts.set(key, found);
    return found;
  }

  put(packId: number, part: PackPart, tables: SharedTables): void {
    const key = `${packId} ${part}`;
    this.#drop(key);
    if (tables.sizeBytes > this.#maxBytes) return;
    this.#parts.set(key, tables);
    this.#bytes += tables.sizeBytes;
    while (this.#bytes > this.#maxBytes) this.#drop(this.#parts.keys().next().value!);
  }

  /** A pack that is gone. */
  forget(packId: number): void {
    this.#drop(`${packId} heads`);
    this.#drop(`${packId} tables`);
  }

  #drop(key: string): void {
    this.#bytes -= this.#parts.get(key)?.sizeBytes ?? 0;
    this.#parts.delete(key);
  }
}
