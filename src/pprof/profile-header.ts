// The scalar fields of a profile and its sample types, as they stand on the wire: texts are indexes into the string table.

import { invalidProfile } from "./invalid-profile.ts";
import { PROFILE, VALUE_TYPE, WIRE } from "./schema.ts";
import type { WireReader } from "./wire-reader.ts";

type ValueTypeIndexes = [type: number, unit: number];

export class ProfileHeader {
  sampleTypes: ValueTypeIndexes[] = [];
  periodType: ValueTypeIndexes = [0, 0];
  comments: number[] = [];
  dropFrames = 0;
  keepFrames = 0;
  defaultSampleType = 0;
  docUrl = 0;
  timeNs = 0n;
  durationNs = 0n;
  period = 0n;

  get columnCount(): number {
    return this.sampleTypes.length;
  }

  /** Takes the outermost field that was read last, or passes over it when it is none of the header's. */
  readField(reader: WireReader, tag: number): void {
    switch (tag) {
      case PROFILE.sampleType * 8 + WIRE.bytes:
        this.sampleTypes.push(readValueType(reader));
        return;
      case PROFILE.dropFrames * 8:
        this.dropFrames = reader.index;
        return;
      case PROFILE.keepFrames * 8:
        this.keepFrames = reader.index;
        return;
      case PROFILE.timeNs * 8:
        if (this.timeNs !== 0n) invalidProfile(`it has a second time at byte ${reader.pos}: two profiles were joined`);
        this.timeNs = reader.int64;
        return;
      case PROFILE.durationNs * 8:
        this.durationNs = reader.int64;
        return;
      case PROFILE.periodType * 8 + WIRE.bytes:
        this.periodType = readValueType(reader);
        return;
      case PROFILE.period * 8:
        this.period = reader.int64;
        return;
      case PROFILE.comment * 8:
        this.comments.push(reader.index);
        return;
      case PROFILE.comment * 8 + WIRE.bytes:
        this.#readComments(reader);
        return;
      case PROFILE.defaultSampleType * 8:
        this.defaultSampleType = reader.index;
        return;
      case PROFILE.docUrl * 8:
        this.docUrl = reader.index;
        return;
      default:
        reader.pass(tag, PROFILE.docUrl);
    }
  }

  /** Throws `invalid` unless every text is among the `count` strings of the profile. */
  checkStrings(count: number): void {
    const check = (index: number, place: string) => {
      if (index < 0 || index >= count) invalidProfile(`${place} refers to a string that is not among its ${count}`);
    };
    this.sampleTypes.forEach(([type, unit], at) => {
      check(type, `sample type ${at + 1}`);
      check(unit, `sample type ${at + 1}`);
    });
    check(this.periodType[0], "the period type");
    check(this.periodType[1], "the period type");
    this.comments.forEach((comment, at) => {
      check(comment, `comment ${at + 1}`);
    });
    check(this.dropFrames, "drop_frames");
    check(this.keepFrames, "keep_frames");
    check(this.defaultSampleType, "default_sample_type");
    check(this.docUrl, "doc_url");
  }

  #readComments(reader: WireReader): void {
    const outerEnd = reader.end;
    reader.end = reader.stop;
    while (reader.pos < reader.end) {
      reader.varint();
      this.comments.push(reader.index);
    }
    reader.end = outerEnd;
  }
}

function readValueType(reader: WireReader): ValueTypeIndexes {
  const outerEnd = reader.end;
  reader.end = reader.stop;
  const indexes: ValueTypeIndexes = [0, 0];
  while (reader.pos < reader.end) {
    const tag = reader.next();
    if (tag === VALUE_TYPE.type * 8) indexes[0] = reader.index;
    else if (tag === VALUE_TYPE.unit * 8) indexes[1] = reader.index;
    else reader.pass(tag, VALUE_TYPE.unit);
  }
  reader.end = outerEnd;
  return indexes;
}
