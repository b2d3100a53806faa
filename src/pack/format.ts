// The outermost form of a pack: head, directory, sections. What is inside a section is told by the file that writes it, and all of it
// by docs/formats.md.

import { DomainError } from "../model/errors.ts";
import { type Shape, shapeSignature } from "../model/shape.ts";
import { checksum, compress, decompress } from "./compression.ts";
import { damagedPack } from "./pack-damage.ts";
import type { Steps } from "./steps.ts";

const MAGIC = Buffer.from("PROFPACK", "latin1");
/** A reader takes this version alone; a change of any section is a new one. */
export const PACK_VERSION = 1;
const HEAD_BYTES = 32;
const ENTRY_BYTES = 24;
/** Bounds on what a damaged head may make us read: 16 blocks of a million profiles, names of the largest size. */
const SECTIONS_MAX = 300_000;
const SIGNATURE_BYTES_MAX = 16 * 1024 * 1024;
/** A section of a pack is at most what one profile may be, times the profiles of a block; it is far less. */
const SECTION_BYTES_MAX = 2 ** 31 - 2;

/** Numbers are never used again for something else. */
export const SECTION = {
  profiles: 1,
  identities: 2,
  heads: 3,
  strings: 4,
  functions: 5,
  mappings: 6,
  locations: 7,
  stacks: 8,
  labelSets: 9,
  rows: 10,
  totals: 11,
  columns: 12,
  orders: 13,
  kept: 14,
  samplings: 15,
} as const;

export type SectionKind = keyof typeof SECTION;
const KINDS = new Map(Object.entries(SECTION).map(([name, number]) => [number as number, name as SectionKind]));

/** What all profiles of a pack have in common. */
export interface PackSignature {
  readonly service: string;
  readonly type: string;
  readonly shape: Shape;
}

interface SectionEntry {
  offset: number;
  storedBytes: number;
  inflatedBytes: number;
  checksum: number;
}

/** `length` bytes from `offset`; fewer where the pack ends before. */
export type ReadRange = (offset: number, length: number) => Uint8Array;

/** An open pack: its directory is in memory, sections are read when they are asked for. */
export interface Pack {
  readonly signature: PackSignature;
  readonly profiles: number;
  readonly columns: number;
  readonly sizeBytes: number;
  readonly read: ReadRange;
  readonly entries: ReadonlyMap<string, SectionEntry>;
}

/** One section before it is written; `part` is the block of profiles that it is about, from 0, and 0 where it is about all. */
export interface Section {
  kind: SectionKind;
  part: number;
  bytes: Uint8Array;
}

const IN_PARTS: ReadonlySet<SectionKind> = new Set(["columns", "orders", "kept"]);

export function sectionName(kind: SectionKind, part = 0): string {
  return IN_PARTS.has(kind) ? `${kind} ${part}` : kind;
}

export interface EncodedPack {
  bytes: Uint8Array<ArrayBuffer>;
  /** Stored bytes of each kind of section, the directory apart. */
  sizes: Map<SectionKind | "directory", number>;
}

/** A step for each section. */
export function* encodePack(
  { service, type, shape }: PackSignature,
  profiles: number,
  sections: readonly Section[],
  level?: number,
): Steps<EncodedPack> {
  const signature = Buffer.from(JSON.stringify([service, type, shapeSignature(shape)]), "utf8");
  const directory = Buffer.alloc(HEAD_BYTES + sections.length * ENTRY_BYTES + signature.length);
  const sizes = new Map<SectionKind | "directory", number>([["directory", directory.length]]);
  const stored: Uint8Array[] = [directory];
  let offset = directory.length;
  for (const [at, { kind, part, bytes }] of sections.entries()) {
    yield;
    const compressed = compress(bytes, level);
    const content = compressed.length < bytes.length ? compressed : bytes;
    const entry = HEAD_BYTES + at * ENTRY_BYTES;
    const words = [SECTION[kind], part, offset, content.length, bytes.length, checksum(content)];
    words.forEach((word, place) => {
      directory.writeUInt32LE(word, entry + place * 4);
    });
    stored.push(content);
    offset += content.length;
    sizes.set(kind, (sizes.get(kind) ?? 0) + content.length);
  }
  directory.set(signature, HEAD_BYTES + sections.length * ENTRY_BYTES);
  MAGIC.copy(directory);
  [PACK_VERSION, sections.length, signature.length, profiles, shape.columns.length].forEach((word, place) => {
    directory.writeUInt32LE(word, 8 + place * 4);
  });
  directory.writeUInt32LE(directoryChecksum(directory), 28);
  const bytes = new Uint8Array(offset);
  let at = 0;
  for (const part of stored) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, sizes };
}

/** Reads the directory. Throws `unavailable` for what is damaged, what is no pack, and a pack of a newer version. */
export function openPack(read: ReadRange): Pack {
  const head = Buffer.from(read(0, HEAD_BYTES));
  if (head.length < HEAD_BYTES || MAGIC.compare(head, 0, MAGIC.length) !== 0) {
    throw new DomainError("unavailable", "Cannot read the pack: it does not begin as packs do");
  }
  const [version, sections, signatureBytes, profiles, columns] = [8, 12, 16, 20, 24].map((at) => head.readUInt32LE(at));
  if (version !== PACK_VERSION) {
    const versions = `it is of version ${version}, this program reads version ${PACK_VERSION}`;
    throw new DomainError("unavailable", `Cannot read the pack: ${versions}`);
  }
  if (sections! > SECTIONS_MAX || signatureBytes! > SIGNATURE_BYTES_MAX) damagedPack("directory", "it is too large");
  const length = HEAD_BYTES + sections! * ENTRY_BYTES + signatureBytes!;
  const directory = Buffer.from(read(0, length));
  if (directory.length < length) damagedPack("directory", `${directory.length} of its ${length} bytes are there`);
  if (directoryChecksum(directory) !== directory.readUInt32LE(28))
    damagedPack("directory", "its checksum does not fit");
  const entries = new Map<string, SectionEntry>();
  let sizeBytes = length;
  for (let at = HEAD_BYTES; at < HEAD_BYTES + sections! * ENTRY_BYTES; at += ENTRY_BYTES) {
    const kind = KINDS.get(directory.readUInt32LE(at));
    if (kind === undefined) continue;
    const [part, offset, storedBytes, inflatedBytes, sum] = [4, 8, 12, 16, 20].map((place) =>
      directory.readUInt32LE(at + place),
    );
    if (inflatedBytes! > SECTION_BYTES_MAX) damagedPack(sectionName(kind, part), "it is too large");
    entries.set(sectionName(kind, part), {
      offset: offset!,
      storedBytes: storedBytes!,
      inflatedBytes: inflatedBytes!,
      checksum: sum!,
    });
    sizeBytes = Math.max(sizeBytes, offset! + storedBytes!);
  }
  const signature = parseSignature(directory.toString("utf8", length - signatureBytes!));
  if (signature.shape.columns.length !== columns) damagedPack("directory", "its names are not those of its columns");
  return { signature, profiles: profiles!, columns: columns!, sizeBytes, read, entries };
}

function parseSignature(text: string): PackSignature {
  try {
    const [service, type, shape] = JSON.parse(text) as [string, string, string];
    const [[periodType, periodUnit], columns] = JSON.parse(shape) as [[string, string], [string, string][]];
    return {
      service,
      type,
      shape: {
        periodType: { type: periodType, unit: periodUnit },
        columns: columns.map(([type, unit]) => ({ type, unit })),
      },
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError)
      return damagedPack("directory", "its names are none");
    throw error;
  }
}

/** Over the head, its last four bytes left out, and all behind it. */
function directoryChecksum(directory: Uint8Array): number {
  return checksum(directory.subarray(HEAD_BYTES), checksum(directory.subarray(0, 28)));
}

export function hasSection(pack: Pack, kind: SectionKind, part = 0): boolean {
  return pack.entries.has(sectionName(kind, part));
}

/** The content of a section, checked and inflated. Throws `unavailable`, naming it. */
export function readSection(pack: Pack, kind: SectionKind, part = 0): Uint8Array {
  const name = sectionName(kind, part);
  const entry = pack.entries.get(name);
  if (!entry) damagedPack(name, "it is not there");
  const { offset, storedBytes, inflatedBytes } = entry;
  const stored = pack.read(offset, storedBytes);
  if (stored.length !== storedBytes) damagedPack(name, `${stored.length} of its ${storedBytes} bytes are there`);
  if (checksum(stored) !== entry.checksum) damagedPack(name, "its checksum does not fit");
  if (storedBytes === inflatedBytes) return stored;
  return decompress(stored, inflatedBytes) ?? damagedPack(name, "it cannot be inflated");
}
