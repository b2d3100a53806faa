// A merge's inputs between the series index and the reader thread: what the thread must be told of series, and what its records mean.

import type { Shape } from "../../model/shape.ts";
import type { MergeInputs } from "../catalog.ts";
import type { PackSet } from "../pack-catalog.ts";
import type { SeriesIndex } from "../series-index.ts";
import { INSTANCE_LABELS } from "../spread.ts";
import { readRecords, type SortedRecords } from "./merge-records.ts";

/** By series id: the label that names its instance, or 0. */
export function instanceLabels(index: SeriesIndex): Uint32Array {
  return Uint32Array.from({ length: index.lastSeriesId + 1 }, (_, seriesId) => {
    const labelIds = seriesId === 0 ? [] : [...index.labelIdsOf(seriesId)];
    for (const name of INSTANCE_LABELS) {
      const found = labelIds.find((labelId) => index.labels.label(labelId).name === name);
      if (found !== undefined) return found;
    }
    return 0;
  });
}

export function mergeInputsOf(
  records: SortedRecords,
  index: SeriesIndex,
  sets: PackSet[],
): Omit<MergeInputs, "matched"> {
  const inputs = readRecords(records, (seriesId) => index.groupOf(seriesId));
  const shapes = new Map<number, Shape>(sets.map(({ shapeId }) => [shapeId, index.shapeOf(shapeId)]));
  for (const { shapeId } of inputs) {
    if (shapeId !== 0 && !shapes.has(shapeId)) shapes.set(shapeId, index.shapeOf(shapeId));
  }
  return { inputs, shapes, sets };
}
