// The strategy "spread": which profiles remain where a limit cuts, even over instances and over time. Both catalogs choose by it.

/**
 * `instances` names each candidate's instance, candidates in canonical order. Answers `limit` positions, ascending. Every instance gets the
 * same share, or all it has; an instance's share lies evenly over its profiles. Ties go to the instance that came first.
 */
export function spread(instances: readonly (number | string)[], limit: number): number[] {
  const positions = new Map<number | string, number[]>();
  for (const [at, instance] of instances.entries()) {
    const own = positions.get(instance);
    if (own) own.push(at);
    else positions.set(instance, [at]);
  }
  // What a small instance leaves goes to the larger ones; a rest that does not divide goes to the last in this order.
  const byNeed = [...positions.values()].sort((a, b) => a.length - b.length || b[0]! - a[0]!);
  const chosen: number[] = [];
  let left = Math.min(limit, instances.length);
  for (const [at, own] of byNeed.entries()) {
    const share = Math.min(own.length, Math.floor(left / (byNeed.length - at)));
    for (let nth = 0; nth < share; nth++) chosen.push(own[Math.floor(((2 * nth + 1) * own.length) / (2 * share))]!);
    left -= share;
  }
  return chosen.sort((a, b) => a - b);
}

/** Labels that name an instance, the first present one counts. */
export const INSTANCE_LABELS = ["instance", "pod", "host"];
