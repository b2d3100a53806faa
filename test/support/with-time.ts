// A recorded profile as its program would have written it at another time: nothing but the number in field 9 changes.

import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

const TIME_FIELD = 9;

/** Of an uncompressed protobuf; where it has no time, the same bytes. */
export function withTime(raw: Uint8Array, timeNs: bigint): Uint8Array {
  const reader = new BinaryReader(raw);
  const parts: Uint8Array[] = [];
  while (reader.pos < raw.length) {
    const start = reader.pos;
    const [field, wireType] = reader.tag();
    reader.skip(wireType, field);
    const isTime = field === TIME_FIELD && wireType === WireType.Varint;
    parts.push(
      isTime ? new BinaryWriter().tag(field, wireType).int64(timeNs).finish() : raw.subarray(start, reader.pos),
    );
  }
  return Buffer.concat(parts);
}
