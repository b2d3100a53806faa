// The name of a pack among the objects of a blob store, and back.

const PACK_NAME = /^pack\/(\d{10,15})$/;
export const PACK_NAMES = "pack/";

export function packName(packId: number): string {
  return `${PACK_NAMES}${String(packId).padStart(10, "0")}`;
}

/** Undefined for the name of something else. */
export function packIdOf(name: string): number | undefined {
  const match = PACK_NAME.exec(name);
  return match ? Number(match[1]) : undefined;
}
