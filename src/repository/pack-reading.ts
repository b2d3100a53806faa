// Packs as merges and downloads read them in a thread: from tables that are decoded already, or decoding them and telling. Pure apart from
// reading blobs; src/repository/merge-worker.ts runs it.

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { openPack, type Pack } from "../pack/format.ts";
import { decodeIdentities, decodeProfiles, type PackIdentities, type PackProfiles } from "../pack/pack-profiles.ts";
import { decodeTables, type PackTables } from "../pack/pack-tables.ts";
import { ProfileRebuilder } from "../pack/profile-rebuilder.ts";
import { deflate } from "../pprof/gzip.ts";
import type { BlobReader, ObjectReference, OpenObject } from "../storage/blob-store.ts";
import type { PackPart } from "./pack-cache.ts";
import { checkHead, checkRows, type PackPlace } from "./pack-place.ts";
import { type RowQuestion, type SelectedRows, selectRows } from "./pack-selection.ts";
import { openTables, type SharedTables, shareTables } from "./shared-tables.ts";

/** A pack as a thread is told of it. */
export interface PackHandle {
  place: PackPlace;
  reference: ObjectReference;
  /** What is decoded already. */
  parts: Partial<Record<PackPart, SharedTables>>;
}

/** What a thread decoded, for others to use. */
export type DecodedParts = Partial<Record<PackPart, SharedTables>>;

export type PackHeads = PackProfiles & PackIdentities;

export interface OpenedPack extends Disposable {
  readonly pack: Pack;
  heads(): PackHeads;
  tables(): PackTables;
  /** Reads what has damage told with the pack's number. */
  named<Value>(read: () => Value): Value;
  readonly decoded: DecodedParts;
}

/**
 * Reads nothing yet; `beforeRead` is called before each section is. What is damaged, not there, or another pack than the catalog names is
 * `unavailable`, and told with the pack's number.
 */
export function openPackHandle(
  reader: BlobReader,
  { place, reference, parts }: PackHandle,
  beforeRead: () => void = () => {},
): OpenedPack {
  let object: OpenObject | undefined;
  let pack: Pack | undefined;
  const decoded: DecodedParts = {};
  const open = () => {
    const opened = object ?? reader.openObject(reference);
    object = opened;
    if (pack) return pack;
    const found = openPack((offset, length) => {
      beforeRead();
      return opened.read(offset, length);
    });
    checkHead(found, opened.sizeBytes, place);
    pack = found;
    return pack;
  };
  const part = <Tables extends object>(name: PackPart, decode: () => Tables): Tables => {
    const known = parts[name] ?? decoded[name];
    if (known) return openTables<Tables>(known);
    const shared = shareTables(decode());
    decoded[name] = shared;
    return openTables<Tables>(shared);
  };
  const named = <Value>(read: () => Value): Value => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const kind = error.kind === "not-found" ? "unavailable" : error.kind;
      throw new DomainError(kind, `Pack ${place.packId}: ${error.message}`, { cause: error });
    }
  };
  return {
    get pack() {
      return named(open);
    },
    heads: () =>
      named(() =>
        part("heads", () => {
          const profiles = decodeProfiles(open());
          checkRows(profiles, place);
          return { ...profiles, ...decodeIdentities(open(), profiles) };
        }),
      ),
    tables: () => named(() => part("tables", () => decodeTables(open()))),
    named,
    decoded,
    [Symbol.dispose]: () => object?.[Symbol.dispose](),
  };
}

export interface SelectAnswer extends SelectedRows {
  decoded: DecodedParts;
}

/** Throws `unavailable` where the pack cannot tell. */
export function selectInPack(
  reader: BlobReader,
  handle: PackHandle,
  question: RowQuestion,
  limits: Limits,
): SelectAnswer {
  using opened = openPackHandle(reader, handle);
  return { ...selectRows(opened.heads(), question, limits), decoded: opened.decoded };
}

export interface RebuildAnswer {
  /** gzip of the bytes that were uploaded, inflated; absent where the pack does not have the profile. */
  gzipped?: Uint8Array<ArrayBuffer>;
  decoded: DecodedParts;
}

/** A single download is read once: fast is better than small. */
const GZIP_LEVEL = 1;

/** Throws `unavailable` for what is damaged. */
export function rebuildFromPack(
  reader: BlobReader,
  handle: PackHandle,
  seq: number,
  digest: Uint8Array,
): RebuildAnswer {
  using opened = openPackHandle(reader, handle);
  const heads = opened.heads();
  const row = heads.seqs.indexOf(BigInt(seq));
  if (row < 0) return { decoded: opened.decoded };
  const decoded = { pack: opened.pack, profiles: heads, tables: opened.tables() };
  const rebuilder = new ProfileRebuilder(decoded, { identities: heads });
  const bytes = opened.named(() => rebuilder.rebuild(row));
  if (Buffer.compare(rebuilder.digest, digest) !== 0) {
    throw new DomainError("unavailable", `Pack ${handle.place.packId}: profile ${row} is not what was uploaded`);
  }
  return { gzipped: new Uint8Array(deflate(bytes, GZIP_LEVEL)), decoded: opened.decoded };
}
