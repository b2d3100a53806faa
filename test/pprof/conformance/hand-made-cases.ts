// Inputs on which readers of the format disagree, written by hand: what a mutator would need luck to find.
// Fields are written as text: `2:7` a varint, `6:"name"` a text, `4{1:2 2:3}` a message.

import { gzipSync } from "node:zlib";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { buildProfile } from "../../support/profile-builder.ts";

const GOOD = buildProfile({ samples: [{ stack: ["main"], values: [1, 2] }], timeNs: 5n });
const STRINGS = '6:"" 6:"samples" 6:"count" 6:"main" ';
const SAMPLE_TYPE = "1{1:1 2:2} ";
const LOCATION = "4{1:1} ";
const SAMPLE = "2{1:1 2:7} ";
const BASE = STRINGS + SAMPLE_TYPE + LOCATION;
const WHOLE = BASE + SAMPLE;

/** Name and upload of each case. */
export function handMadeCases(): [name: string, body: Uint8Array][] {
  return [
    ["nothing at all", new Uint8Array()],
    ["a good profile", GOOD],
    ["one zero byte: the tag of field 0", Uint8Array.of(0)],
    ["two good profiles, one behind the other", Buffer.concat([GOOD, GOOD])],
    ...Object.entries(TAILS).map(([name, hex]): [string, Uint8Array] => [name, withTail(hex)]),
    ...Object.entries(MEANINGS).map(([name, text]): [string, Uint8Array] => [name, encodeText(text)]),
    ...Object.entries(LABELS).map(([name, text]): [string, Uint8Array] => [name, encodeText(labelled(text))]),
    ...gzipCases(),
  ];
}

/** Bytes in hexadecimal behind a good profile. */
const TAILS: Record<string, string> = {
  "field 0 with a value": "00 01",
  "field 0 with bytes": "02 00",
  "a tag of ten bytes with field number 2^60": "80808080808080808001 00",
  "a tag of ten bytes whose last one overflows 64 bits": "ffffffffffffffffff7f 01",
  "a tag of eleven bytes": "8080808080808080808001",
  "an overlong tag of a known field": "e0808000 05",
  "a varint of eleven bytes in an unknown field": "f801 8080808080808080808001",
  "a varint of ten bytes that overflows 64 bits": "60 ffffffffffffffffff7f",
  "a varint without an end": "60 ff",
  "a tag without a value": "60",
  "a group start": "fb01",
  "a group with its end": "fb01 fc01",
  "an end of a group alone": "fc01",
  "wire type 6": "fe01 00",
  "wire type 7": "ff01 00",
  "four bytes of an unknown field": "fd01 01020304",
  "eight bytes of an unknown field": "f901 0102030405060708",
  "four bytes cut short": "fd01 010203",
  "eight bytes cut short": "f901 010203040506",
  "four bytes where the period should be a varint": "65 01020304",
  "a length of 2^63": "fa01 80808080808080808001",
  "a length of 2^64 − 1": "fa01 ffffffffffffffffff01",
  "a length of 2^32": "fa01 8080808010",
  "a length one too long": "fa01 03 6162",
  "a packed list that ends inside a varint": "6a 01 80",
  "an empty packed list": "6a 00",
  "a string that is not UTF-8": "32 02 ffc0",
};

const MEANINGS: Record<string, string> = {
  "no string table, nothing refers to it": "12:5",
  "only a period type": "11{}",
  "only an empty string": '6:""',
  "a string table that begins with text": '6:"a"',
  "a second empty string": `${WHOLE} 6:""`,
  "no sample types and no samples": STRINGS,
  "samples without sample types": STRINGS + LOCATION + SAMPLE,
  "a sample type that names no strings": `${STRINGS} 1{}`,
  "sample types without samples": STRINGS + SAMPLE_TYPE,
  "a sample without values": `${BASE} 2{1:1}`,
  "a sample with a value too many": `${BASE} 2{1:1 2:1 2:1}`,
  "a sample without a stack": `${BASE} 2{2:1}`,
  "a sample at location 0": `${BASE} 2{1:0 2:1}`,
  "a sample at a location that comes later": STRINGS + SAMPLE + SAMPLE_TYPE + LOCATION,
  "a sample at a location that is missing": `${BASE} 2{1:2 2:1}`,
  "a location without an id": `${BASE} 4{}`,
  "a location twice": BASE + LOCATION,
  "a location with the id 2^64 − 1": `${BASE} 4{1:18446744073709551615}`,
  "a location in a mapping that is missing": `${BASE} 4{1:2 2:9} 2{1:2 2:1}`,
  "a location whose id is given twice": `${BASE} 4{1:1 1:2}`,
  "a line without a function": `${BASE} 4{1:2 4{}}`,
  "a line of function 0": `${BASE} 4{1:2 4{1:0}}`,
  "a line of a function that is missing": `${BASE} 4{1:2 4{1:3}}`,
  "a line whose function is given twice, first falsely": `${BASE} 5{1:1} 4{1:2 4{1:3 1:1}}`,
  "a function without an id": `${BASE} 5{}`,
  "a function twice": `${BASE} 5{1:1} 5{1:1}`,
  "a function whose name is no string": `${BASE} 5{1:1 2:4}`,
  "a function whose name is string −1": `${BASE} 5{1:1 2:18446744073709551615}`,
  "a function whose name is string 2^32": `${BASE} 5{1:1 2:4294967296}`,
  "a mapping with the id 0": `${BASE} 3{}`,
  "a mapping twice": `${BASE} 3{1:1} 3{1:1}`,
  "a mapping flag of 2^40": `${BASE} 3{1:1 7:1099511627776}`,
  "two times": `${WHOLE} 9:1 9:2`,
  "a time after a time of 0": `${WHOLE} 9:0 9:2`,
  "a time of 0 after a time": `${WHOLE} 9:1 9:0`,
  "a second time of another wire type": `${WHOLE} 9:1 9:"x"`,
  "two durations and two periods": `${WHOLE} 10:1 10:2 12:1 12:2`,
  "two period types, the last of which counts": `${WHOLE} 11{1:1} 11{2:2}`,
  "two period types, the first of which is false": `${WHOLE} 11{1:99} 11{1:1}`,
  "two default types, the first of which is false": `${WHOLE} 14:99 14:1`,
  "a comment that is no string": `${WHOLE} 13:99`,
  "a text where a sample type should be": `${WHOLE} 1:"a"`,
  "a number where a sample should be": `${WHOLE} 2:1`,
  "two profiles without a time, one behind the other": WHOLE + WHOLE,
};

/** What stands in the one label of a sample; strings 3 to 6 are key, value and two empty ones. */
const LABELS: Record<string, string> = {
  "an empty label": "",
  "a label with a key alone": "1:3",
  "a label without a key": "2:4",
  "a label of an empty text that is not string 0": "1:3 2:5",
  "a label of the number 0 with a unit": "1:3 4:4",
  "a label of the number 0 with an empty unit that is not string 0": "1:3 4:5",
  "a label with text and number": "1:3 2:4 3:9",
  "a label with text and a unit that is no string": "1:3 2:4 4:99",
  "a label with a number and a unit that is no string": "1:3 3:4 4:99",
  "a label whose key is no string and that says nothing": "1:99",
  "a label whose text is no string": "1:3 2:99",
  "a label whose text is given twice, first falsely": "1:3 2:99 2:4",
};

function labelled(label: string): string {
  return `6:"" 6:"samples" 6:"count" 6:"key" 6:"value" 6:"" 6:"" ${SAMPLE_TYPE} 2{2:7 3{${label}}}`;
}

function gzipCases(): [string, Uint8Array][] {
  const whole = gzipSync(GOOD);
  const halves = Buffer.concat([gzipSync(GOOD.subarray(0, 20)), gzipSync(GOOD.subarray(20))]);
  const behind = (bytes: string) => Buffer.concat([whole, Buffer.from(bytes, "latin1")]);
  const changed = (at: number, byte: number) => Uint8Array.from(whole, (old, index) => (index === at ? byte : old));
  const flagged = (flags: number, extra: string) =>
    Buffer.concat([changed(3, flags).subarray(0, 10), Buffer.from(extra, "latin1"), whole.subarray(10)]);
  return [
    ["gzip", whole],
    ["gzip of nothing", gzipSync("")],
    ["gzip in two members", halves],
    ["gzip with an empty member behind", Buffer.concat([whole, gzipSync("")])],
    ["gzip with a zero byte behind", behind("\0")],
    ["gzip with zeros behind", behind("\0".repeat(20))],
    ["gzip with text behind", behind("and more")],
    ["gzip with half a header behind", behind("\x1f\x8b\x08\0\0")],
    ["gzip cut in its trailer", whole.subarray(0, -3)],
    ["gzip without its trailer", whole.subarray(0, -8)],
    ["gzip cut in its header", whole.subarray(0, 6)],
    ["the magic of gzip alone", whole.subarray(0, 2)],
    ["gzip of gzip", gzipSync(whole)],
    ["gzip with a false checksum", changed(whole.length - 6, 1)],
    ["gzip with a false size", changed(whole.length - 1, 1)],
    ["gzip of another method", changed(2, 7)],
    ["gzip with reserved flags", changed(3, 0xe0)],
    ["gzip with the text flag", changed(3, 1)],
    ["gzip with a name", flagged(8, "cpu.pprof\0")],
    ["gzip with a name without end", flagged(8, "cpu.pprof")],
    ["gzip with a name of 600 bytes", flagged(8, `${"n".repeat(600)}\0`)],
    ["gzip with a comment", flagged(16, "made by hand\0")],
    ["gzip with an extra field", flagged(4, "\x04\0abcd")],
    ["gzip with an extra field beyond its end", flagged(4, "\xff\xffabcd")],
    ["gzip with a false header checksum", flagged(2, "\0\0")],
  ];
}

function withTail(hex: string): Uint8Array {
  return Buffer.concat([GOOD, Buffer.from(hex.replaceAll(" ", ""), "hex")]);
}

function encodeText(text: string): Uint8Array {
  const writer = new BinaryWriter();
  for (const [, field, number, string] of text.matchAll(/(\d*)(?:\{|:(\d+)|:"([^"]*)"|\})/g)) {
    if (field === "") writer.join();
    else if (number !== undefined) writer.tag(Number(field), WireType.Varint).uint64(BigInt(number));
    else if (string !== undefined) writer.tag(Number(field), WireType.LengthDelimited).string(string);
    else writer.tag(Number(field), WireType.LengthDelimited).fork();
  }
  return writer.finish();
}
