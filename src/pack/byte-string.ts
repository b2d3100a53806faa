// Strings of a pack's tables as texts.

import type { InternerContent } from "../pprof/interner-transfer.ts";

/** String number `string`, one character per byte (latin1). */
export function byteString(
  { stringBytes, stringEnds }: Pick<InternerContent, "stringBytes" | "stringEnds">,
  string: number,
): string {
  const start = string === 0 ? 0 : stringEnds[string - 1]!;
  return Buffer.from(stringBytes.buffer, stringBytes.byteOffset + start, stringEnds[string]! - start).toString(
    "latin1",
  );
}
