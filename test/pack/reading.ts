// All that a pack can be asked, as one text: two packs that answer alike are alike.

import { createHash } from "node:crypto";
import { addToMerger } from "../../src/pack/fold.ts";
import { decodeIdentities } from "../../src/pack/pack-profiles.ts";
import { ProfileRebuilder } from "../../src/pack/profile-rebuilder.ts";
import { sumProfiles, sumWeighted } from "../../src/pack/sum.ts";
import { Merger } from "../../src/pprof/merger.ts";
import { decode } from "./packing.ts";

/** Of each profile its digest, of the pack the digest of its merge and of everything else that is read. */
export interface PackAnswers {
  profiles: string[];
  merge: string;
  heads: string;
}

/** Throws what the pack throws. */
export function answersOf(bytes: Uint8Array): PackAnswers {
  const decoded = decode(bytes);
  const { pack, profiles, tables } = decoded;
  const rebuilder = new ProfileRebuilder({ pack, profiles, tables });
  const rows = Array.from({ length: profiles.count }, (_, row) => row);
  const rebuilt = rows.map((row) => sha256(rebuilder.rebuild(row)));
  const merger = new Merger({});
  addToMerger(merger, decoded, { rows, orders: rows });
  const identities = decodeIdentities(pack, profiles);
  const heads = [pack.signature, profiles, identities, sumProfiles(decoded, rows), sumWeighted(decoded, () => 1)];
  return { profiles: rebuilt, merge: sha256(merger.finish().bytes), heads: sha256(Buffer.from(json(heads))) };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function json(value: unknown): string {
  return JSON.stringify(value, (_, member) => {
    if (typeof member === "bigint") return String(member);
    return ArrayBuffer.isView(member) ? Array.from(member as Int32Array, String) : member;
  });
}
