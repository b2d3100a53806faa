// Where a key is looked up: under a keyed hash of its digest, so that the time a look-up takes tells nothing of what is in the file.

import { createHmac, hash, randomBytes } from "node:crypto";

/** Of this process alone: nobody outside can choose or compare slots. */
const SLOT_KEY = randomBytes(32);

/** Of a SHA-256 digest. */
export function keySlot(digest: Uint8Array): string {
  return createHmac("sha256", SLOT_KEY).update(digest).digest("base64");
}

/** Of a key as it was sent. */
export function slotOfKey(key: Uint8Array): string {
  return keySlot(hash("sha256", key, "buffer"));
}
