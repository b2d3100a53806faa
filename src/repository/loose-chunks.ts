// The loose profiles of a merge as turns of its threads.

import type { MergeInput } from "../storage/catalog.ts";
import type { LooseChunk } from "./merge-job.ts";

/** A chunk is a thread's turn: some 25 ms of work, after which another job's chunk comes. */
export const CHUNK_PROFILES = 64;
const CHUNK_BYTES = 1024 * 1024;

export interface LooseInputs {
  inputs: readonly MergeInput[];
  orders: Float64Array;
  weights?: Uint16Array;
}

/**
 * Profiles of one service share most of what they name: folded one after another they find it where it was just used, which saves a sixth
 * of the time. The orders keep the answer the same.
 */
export function byService({
  inputs,
  orders,
  weights,
}: Pick<LooseInputs, "inputs" | "weights"> & { orders?: Float64Array | undefined }): LooseInputs {
  const places = inputs.map((_, at) => at).sort((a, b) => inputs[a]!.serviceId - inputs[b]!.serviceId);
  return {
    inputs: places.map((at) => inputs[at]!),
    orders: Float64Array.from(places, (at) => orders?.[at] ?? at),
    ...(weights && { weights: Uint16Array.from(places, (at) => weights[at]!) }),
  };
}

export function cutChunks({ inputs, orders, weights }: LooseInputs): LooseChunk[] {
  const chunks: LooseChunk[] = [];
  let start = 0;
  let bytes = 0;
  for (let at = 0; at < inputs.length; at++) {
    bytes += inputs[at]!.locator.sizeBytes;
    if (at + 1 < inputs.length && at + 1 - start < CHUNK_PROFILES && bytes < CHUNK_BYTES) continue;
    chunks.push({
      first: start,
      locators: inputs.slice(start, at + 1).map(({ locator }) => locator),
      orders: orders.slice(start, at + 1),
      weights: weights?.slice(start, at + 1),
    });
    start = at + 1;
    bytes = 0;
  }
  return chunks;
}
