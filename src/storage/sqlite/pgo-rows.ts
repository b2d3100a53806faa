// Rows of policies, releases and channels as the catalog's contract has them. Reading alone; both the writer and the readers do.

import type { PgoVerdict } from "../../model/pgo-policy.ts";
import { CHANNEL_HISTORY, type Channel, type StoredPolicy, type StoredRelease } from "../pgo-catalog.ts";
import type { Statements } from "./statements.ts";

/** What is asked of a thread: one of `Target`'s methods, which take one argument each. */
export interface PgoRequest<Target> {
  method: keyof Target;
  argument: unknown;
}

const RELEASE = `SELECT service, name, created_ns, digest, size_bytes, stored_digest, inputs_digest, manifest_digest, verdict, object_id
  FROM release`;

type ReleaseRow = [string, string, bigint, Buffer, bigint, Buffer, Buffer, Buffer, PgoVerdict, string];

/** The statement's rows, of which `rest` is what follows its FROM. */
export function readReleases(statements: Statements, rest: string, parameters: object): StoredRelease[] {
  const rows = statements.exact(`${RELEASE} ${rest}`).all(parameters) as ReleaseRow[];
  return rows.map(([service, name, createdNs, digest, sizeBytes, stored, inputs, manifest, verdict, objectId]) => ({
    service,
    name,
    createdNs,
    digest: new Uint8Array(digest),
    sizeBytes: Number(sizeBytes),
    storedDigest: new Uint8Array(stored),
    inputsDigest: new Uint8Array(inputs),
    manifestDigest: new Uint8Array(manifest),
    verdict,
    objectId,
  }));
}

export function readRelease(statements: Statements, service: string, name: string): StoredRelease | undefined {
  return readReleases(statements, "WHERE service = @service AND name = @name", { service, name })[0];
}

export function readPolicy(statements: Statements, service: string, name: string): StoredPolicy | undefined {
  const row = statements
    .plain("SELECT policy, version FROM pgo_policy WHERE service = ? AND name = ?")
    .get(service, name) as [string, number] | undefined;
  return row && { name, policy: row[0], version: row[1] };
}

/** Undefined where there is none. */
export function readChannel(statements: Statements, service: string, name: string): Channel | undefined {
  const rows = statements
    .exact(
      `SELECT release, moved_ns, version FROM channel_move WHERE service = ? AND channel = ?
      ORDER BY version DESC LIMIT ${1 + CHANNEL_HISTORY}`,
    )
    .all(service, name) as [string, bigint, bigint][];
  const [now, ...before] = rows.map(([release, movedNs]) => ({ release, movedNs }));
  return now && { name, ...now, version: Number(rows[0]![2]), history: before };
}

export function readChannelNames(statements: Statements, service: string): string[] {
  const rows = statements
    .plain("SELECT DISTINCT channel FROM channel_move WHERE service = ? ORDER BY channel")
    .all(service) as [string][];
  return rows.map(([name]) => name);
}
