// Numbers of things as people read them.

/** 1 profile, 2 profiles. */
export function countText(count: bigint | number, thing: string): string {
  return `${count} ${thing}${Number(count) === 1 ? "" : "s"}`;
}
