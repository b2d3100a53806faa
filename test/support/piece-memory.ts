// What a reader keeps of many small pieces: its memory while it waits for the last one.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Yields `pieces` one by one, then tells `report` by how many bytes memory has grown, garbage aside. */
export async function* measuredPieces(
  pieces: Iterable<Uint8Array>,
  report: (grownBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const before = usedBytes();
  for (const piece of pieces) yield piece;
  report(usedBytes() - before);
}

export function* onePerByte(count: number): Generator<Uint8Array> {
  for (let at = 0; at < count; at++) yield Buffer.alloc(1, at);
}

function usedBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
