// How long answers are cut for streams.

/** Large enough that a message's overhead is nothing, small enough that many streams fit in memory. */
const CHUNK_BYTES = 64 * 1024;

/** Views, not copies, of at most 64 KiB each. */
export function* chunksOf(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    yield bytes.subarray(at, at + CHUNK_BYTES) as Uint8Array<ArrayBuffer>;
  }
}
