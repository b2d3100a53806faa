// A release's bytes among the objects of the blob store: written before its row, checked whenever they are read, removed where none came.

import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import type { BlobStore } from "../../storage/blob-store.ts";
import type { PgoCatalog, StoredRelease } from "../../storage/pgo-catalog.ts";
import { RELEASE_OBJECTS, type ReleasePart, releaseObject } from "../../storage/release-object.ts";

const PARTS: readonly ReleasePart[] = ["profile", "manifest"];

export interface WrittenObjects {
  objectId: string;
  storedDigest: Uint8Array;
  manifestDigest: Uint8Array;
}

export interface ReleaseStorage {
  catalog: { pgo: PgoCatalog };
  blobs: BlobStore;
}

/** Durable when it resolves. What it leaves where it fails, or where no release follows, goes at the next start. */
export async function writeObjects(
  { catalog, blobs }: ReleaseStorage,
  gzipped: Uint8Array,
  manifest: string,
): Promise<WrittenObjects> {
  const objectId = crypto.randomUUID();
  const gzippedManifest = await promisify(gzip)(manifest);
  await catalog.pgo.beginRelease(objectId);
  await blobs.put(releaseObject(objectId, "profile"), gzipped);
  await blobs.put(releaseObject(objectId, "manifest"), gzippedManifest);
  return { objectId, storedDigest: await sha256(gzipped), manifestDigest: await sha256(gzippedManifest) };
}

/** Gzipped, as it was stored. Throws `unavailable`, naming the release and the damage. */
export async function readProfile(blobs: BlobStore, release: StoredRelease): Promise<Uint8Array> {
  return readChecked(blobs, release, "profile", release.storedDigest);
}

/** JSON. Throws `unavailable`, naming the release and the damage. */
export async function readManifest(blobs: BlobStore, release: StoredRelease): Promise<string> {
  // It is what was written, so that it cannot inflate to more than that.
  const gzipped = await readChecked(blobs, release, "manifest", release.manifestDigest);
  return (await promisify(gunzip)(gzipped)).toString();
}

async function readChecked(blobs: BlobStore, release: StoredRelease, part: ReleasePart, digest: Uint8Array) {
  const name = releaseObject(release.objectId, part);
  try {
    const bytes = await blobs.readRange(name, 0, Number.MAX_SAFE_INTEGER);
    if (Buffer.compare(await sha256(bytes), digest) === 0) return bytes;
  } catch (cause) {
    const isAbsent = cause instanceof DomainError && cause.kind === "not-found";
    const isOfDisk = cause instanceof Error && "syscall" in cause;
    if (isAbsent || isOfDisk) throw damaged(release, part, cause.message, cause);
    throw cause;
  }
  throw damaged(release, part, `object ${quote(name)} is not what was stored`);
}

function damaged(release: StoredRelease, part: ReleasePart, fault: string, cause?: unknown): DomainError {
  return new DomainError("unavailable", `Cannot read ${partOf(release, part)}: ${fault}`, { cause });
}

function partOf({ service, name }: StoredRelease, part: ReleasePart): string {
  return `the ${part} of release ${quote(name)} of ${quote(service)}`;
}

/**
 * For the start, before anything is published: removes what was begun and got no release. Objects that the catalog never made are left
 * alone: it may be an old copy, and their manifests tell which releases they are.
 */
export async function compareReleaseObjects(
  { catalog: { pgo }, blobs }: ReleaseStorage,
  report: (message: string) => void,
): Promise<void> {
  const { releases, unfinished } = await pgo.allReleases();
  for (const objectId of unfinished) {
    for (const part of PARTS) await blobs.deleteObject(releaseObject(objectId, part));
  }
  if (unfinished.length > 0) await pgo.forgetReleases(unfinished);
  const present = new Set(await blobs.list(RELEASE_OBJECTS));
  for (const release of releases) {
    for (const part of PARTS) {
      const name = releaseObject(release.objectId, part);
      if (!present.delete(name)) report(`Cannot find ${partOf(release, part)}: object ${quote(name)} is absent`);
    }
  }
  for (const name of present) {
    report(`Object ${quote(name)} is kept, though the catalog knows no release of it: a later one made it`);
  }
}

export interface ReleasesVerified {
  releases: number;
  /** What is damaged or absent: the first 100. */
  damagedReleases: string[];
  damagedReleaseCount: number;
}

const DAMAGED_NAMED = 100;

/** Reads all of every release. */
export async function verifyReleases({ catalog, blobs }: ReleaseStorage): Promise<ReleasesVerified> {
  const { releases } = await catalog.pgo.allReleases();
  const result: ReleasesVerified = { releases: releases.length, damagedReleases: [], damagedReleaseCount: 0 };
  for (const release of releases) {
    try {
      await readProfile(blobs, release);
      await readManifest(blobs, release);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      result.damagedReleaseCount++;
      if (result.damagedReleases.length < DAMAGED_NAMED) result.damagedReleases.push(error.message);
    }
  }
  return result;
}

/** Off this thread: a profile may have many megabytes. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}
