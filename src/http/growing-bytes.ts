// Bytes that come in pieces, gathered into one array: a piece costs its bytes and nothing more, however small it is.

const SMALLEST_BYTES = 4096;

export class GrowingBytes {
  /** The first `#length` are gathered. A single piece is borrowed, not copied: nothing is ever written behind it. */
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A view, good until the next push or take. */
  get view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The piece is the gatherer's from now on. */
  push(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (this.#length === 0) {
      // A plain Uint8Array: a Buffer's slice() shares memory.
      this.#bytes = new Uint8Array(piece.buffer as ArrayBuffer, piece.byteOffset, piece.byteLength);
    } else {
      if (length > this.#bytes.length) this.#grow(length);
      this.#bytes.set(piece, this.#length);
    }
    this.#length = length;
  }

  /** Takes the first `count` bytes out, a view that stays good; the rest stays here. */
  take(count: number): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count, this.#length);
    this.#length -= count;
    return taken;
  }

  /** Takes all, for keeping: without the room that was left for more. */
  takeAll(): Uint8Array<ArrayBuffer> {
    const hasRoom = this.#length < this.#bytes.length;
    const taken = this.take(this.#length);
    return hasRoom ? taken.slice() : taken;
  }

  #grow(length: number): void {
    const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length, SMALLEST_BYTES));
    grown.set(this.view);
    this.#bytes = grown;
  }
}
