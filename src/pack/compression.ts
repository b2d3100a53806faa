// Zstandard and CRC-32, as packs use them.

import { constants, crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Where more effort stopped paying: docs/decisions/packs.md. */
const DEFAULT_LEVEL = 9;

export function compress(bytes: Uint8Array, level = DEFAULT_LEVEL): Uint8Array {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

/** The `size` bytes of content, or undefined where that is not what `bytes` hold. */
export function decompress(bytes: Uint8Array, size: number): Uint8Array | undefined {
  try {
    // One chunk of the right size: nothing is copied together afterwards.
    const content = zstdDecompressSync(bytes, { chunkSize: Math.max(64, size + 1), maxOutputLength: size + 1 });
    return content.length === size ? content : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}

/** That of zlib, over `before` bytes whose checksum is given and then these. */
export function checksum(bytes: Uint8Array, before = 0): number {
  return crc32(bytes, before);
}
