// The outermost fields of a profile that may be from Go's runtime → its skeleton. Only what lies before the first and behind the
// last message of the tables is read: whether the rest is as the runtime writes it is found out by writing it.

import type { ProfileTables } from "../../pprof/profile-tables.ts";
import { PROFILE, WIRE } from "../../pprof/schema.ts";
import type { Spans } from "../../pprof/spans.ts";
import { WRITER } from "./profile-writer.ts";

/** More fields than the runtime ever writes beside its tables. */
const FIELDS_MAX = 24;

/** The skeleton, or undefined where the order of the outermost fields shows another writer. */
export function goRuntimeSkeleton(source: ProfileTables): Uint8Array | undefined {
  const { samples, locations, functions, strings } = source;
  const { reader, raw } = source;
  // The runtime writes each location before the samples that name it.
  if (locations.count > 0 && firstStart(locations.spans) > lastEnd(samples)) return undefined;
  const bodyEnd = Math.max(lastEnd(samples), lastEnd(locations.spans), lastEnd(functions.spans));
  const skeleton = [WRITER.goRuntime as number];
  reader.open(raw);
  let isBody = false;
  while (reader.pos < raw.length) {
    const tag = reader.next();
    if ((tag & 7) === WIRE.bytes) reader.pos = reader.stop;
    const isTable = tag === SAMPLE || tag === LOCATION || tag === FUNCTION;
    if (isTable && isBody) return undefined;
    if (isTable) {
      isBody = true;
      reader.pos = bodyEnd;
      skeleton.push(SAMPLE);
    } else if (tag === STRING) {
      skeleton.push(STRING);
      reader.pos = lastEnd(strings);
    } else if (tag !== MAPPING || skeleton.at(-1) !== MAPPING) skeleton.push(tag);
    if (tag >= 0x80 || skeleton.length > FIELDS_MAX) return undefined;
  }
  return Uint8Array.from(skeleton);
}

const SAMPLE = PROFILE.sample * 8 + WIRE.bytes;
const MAPPING = PROFILE.mapping * 8 + WIRE.bytes;
const LOCATION = PROFILE.location * 8 + WIRE.bytes;
const FUNCTION = PROFILE.function * 8 + WIRE.bytes;
const STRING = PROFILE.stringTable * 8 + WIRE.bytes;

/** Where the last message of a table ends; 0 for none. */
function lastEnd({ bounds, count }: Spans): number {
  return count === 0 ? 0 : bounds[count * 2 - 1]!;
}

function firstStart({ bounds }: Spans): number {
  return bounds[0]!;
}
