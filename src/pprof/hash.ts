// One step of the hash that all tables of this folder share. Seeded per process, so that no upload can aim at collisions;
// nothing that leaves the process depends on it.

export const HASH_SEED = (Math.random() * 0x1_0000_0000) | 0;

/** Folds a 32-bit word into `hash`. V8 inlines it. */
export function mix(hash: number, word: number): number {
  const mixed = hash ^ word;
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
}

/** Spreads the bits of a finished hash, so that its low ones can choose a slot. */
export function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x297a2d39);
  return mixed ^ (mixed >>> 15);
}
