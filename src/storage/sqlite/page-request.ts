// What a page of a selection asks of a thread, which has no index: src/storage/sqlite/page-reader.ts reads it.

import { DomainError } from "../../model/errors.ts";
import { parseProfileId } from "../../model/profile-id.ts";
import { quote } from "../../model/text.ts";
import type { Interval } from "../../model/time.ts";
import type { FindQuery } from "../catalog.ts";
import { GROUP_SCANS, type ResolvedSelection } from "../resolved-selection.ts";

export interface PageRequest {
  selection: ResolvedSelection;
  interval?: Interval;
  order: "newest" | "oldest";
  afterId?: Uint8Array;
  limit: number;
  maxSeq: number;
}

/** Throws `invalid` where `afterId` is no id. */
export function pageRequest(
  selection: ResolvedSelection,
  { interval, order, afterId, limit, maxSeq }: Omit<FindQuery, "selector">,
): PageRequest {
  const after = afterId === undefined ? undefined : parseProfileId(afterId);
  if (afterId !== undefined && after === undefined) {
    throw new DomainError("invalid", `Cannot continue after ${quote(afterId)}: it is no profile id`);
  }
  // Many groups are read by their series, not one by one, and each would cost a microsecond on its way.
  const groups = selection.groups.length > GROUP_SCANS ? [] : selection.groups;
  return {
    selection: { ...selection, groups },
    order,
    limit,
    maxSeq: Math.min(selection.seq, maxSeq ?? selection.seq),
    ...(interval && { interval }),
    ...(after && { afterId: after }),
  };
}
