// Profiles at the limits of what may be sent: a million samples, each with a trace id, and stacks of thousands of frames. Written byte by byte,
// where test/support/profile-builder.ts would take minutes.

/** Bytes that grow; enough of protobuf for the profiles below. */
class Bytes {
  #bytes = Buffer.alloc(1 << 20);
  #length = 0;

  /** Below 2^53. */
  varint(value: number): this {
    this.#reserve(10);
    for (; value >= 0x80; value = Math.floor(value / 0x80)) this.#bytes[this.#length++] = (value % 0x80) | 0x80;
    this.#bytes[this.#length++] = value;
    return this;
  }

  number(field: number, value: number): this {
    return this.varint(field * 8).varint(value);
  }

  bytes(field: number, content: Uint8Array): this {
    this.varint(field * 8 + 2)
      .varint(content.length)
      .#reserve(content.length);
    this.#bytes.set(content, this.#length);
    this.#length += content.length;
    return this;
  }

  text(field: number, text: string): this {
    return this.bytes(field, Buffer.from(text));
  }

  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): this {
    this.#length = 0;
    return this;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.alloc(2 * (this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

export interface LargeProfile {
  timeNs: bigint;
  functions: number;
  /** Of each sample the functions from the leaf on, counted from 0, its value, and its trace id, where it has one. */
  samples: Iterable<{ stack: readonly number[]; value: number; trace?: string | number }>;
}

const STRINGS = ["", "samples", "count", "trace"];

/** One column, samples/count; string labels are strings of their own each. */
export function writeLargeProfile({ timeNs, functions, samples }: LargeProfile): Uint8Array {
  const out = new Bytes();
  const [sample, part, strings] = [new Bytes(), new Bytes(), new Bytes()];
  let stringCount = STRINGS.length + functions;
  out.bytes(1, part.clear().number(1, 1).number(2, 2).written);
  for (const { stack, value, trace } of samples) {
    sample.clear();
    part.clear();
    for (const frame of stack) part.varint(frame + 1);
    sample.bytes(1, part.written).bytes(2, part.clear().varint(value).written);
    if (typeof trace === "number") sample.bytes(3, part.clear().number(1, 3).number(3, trace).written);
    else if (trace !== undefined) {
      strings.text(6, trace);
      sample.bytes(3, part.clear().number(1, 3).number(2, stringCount++).written);
    }
    out.bytes(2, sample.written);
  }
  for (let nth = 0; nth < functions; nth++) {
    const line = sample
      .clear()
      .number(1, nth + 1)
      .number(2, 10 + nth).written;
    out.bytes(
      4,
      part
        .clear()
        .number(1, nth + 1)
        .bytes(4, line).written,
    );
    out.bytes(
      5,
      part
        .clear()
        .number(1, nth + 1)
        .number(2, STRINGS.length + nth).written,
    );
  }
  for (const string of STRINGS) out.text(6, string);
  for (let nth = 0; nth < functions; nth++) out.text(6, `main.function${nth}`);
  const tables = Buffer.concat([out.written, strings.written]);
  return Buffer.concat([tables, out.clear().number(9, 0).written.subarray(0, 1), int64(timeNs)]);
}

function int64(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 0x80n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(value)]);
}
