// The strong etag of a profile's bytes: what is in them, and what they are wrapped in.

import type { ProfileRecord } from "../model/profile-record.ts";

/** Raised when profiles from packs are wrapped in another way. The same content at the same level differs between versions of zlib too. */
const REBUILT = `p1-${process.versions.zlib}`;

/** Without quotes. Packing changes the gzip around the same inflated bytes, and so the etag. */
export function profileEtag({
  digest,
  sizeBytes,
  rebuilt,
}: Pick<ProfileRecord, "digest" | "sizeBytes" | "rebuilt">): string {
  return `${Buffer.from(digest).toString("hex")}-${rebuilt ? REBUILT : `o${sizeBytes}`}`;
}
