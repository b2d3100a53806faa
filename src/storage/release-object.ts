// The names of a release's objects in a blob store. What is in them is src/repository/pgo's.

/** profile: gzipped pprof, as clients get it. manifest: gzipped JSON. */
export type ReleasePart = "profile" | "manifest";

export const RELEASE_OBJECTS = "release/";

export function releaseObject(objectId: string, part: ReleasePart): string {
  return `${RELEASE_OBJECTS}${objectId}.${part}`;
}
