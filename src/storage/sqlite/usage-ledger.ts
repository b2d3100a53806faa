// What the profiles of each service and type are, in number and bytes: changes gathered during a transaction, written once at its end, so
// that nobody counts rows to know it. Packs are counted from their own table.

import type { Usage } from "../catalog.ts";
import type { Statements } from "./statements.ts";

/** Of one service and type; negative where something goes. */
export interface UsageChange {
  profiles?: number;
  /** As sent, of all of them. */
  sentBytes?: number;
  /** Of those whose bytes as sent are there. */
  originalBytes?: number;
}

/** By ids; times are those of the first and the last profile. */
export interface UsageRow extends Omit<Usage, "service" | "type" | "series" | "firstNs" | "lastNs"> {
  serviceId: number;
  typeId: number;
  firstNs: bigint | null;
  lastNs: bigint | null;
}

export class UsageLedger {
  readonly #statements: Statements;
  readonly #changes = new Map<string, Required<UsageChange> & { serviceId: number; typeId: number }>();

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  add(serviceId: number, typeId: number, { profiles = 0, sentBytes = 0, originalBytes = 0 }: UsageChange): void {
    const key = `${serviceId} ${typeId}`;
    let change = this.#changes.get(key);
    if (change === undefined) {
      change = { serviceId, typeId, profiles: 0, sentBytes: 0, originalBytes: 0 };
      this.#changes.set(key, change);
    }
    change.profiles += profiles;
    change.sentBytes += sentBytes;
    change.originalBytes += originalBytes;
  }

  addToSeries(seriesId: number, change: UsageChange): void {
    const [serviceId, typeId] = this.#statements
      .plain("SELECT service_id, type_id FROM series WHERE series_id = ?")
      .get(seriesId) as [number, number];
    this.add(serviceId, typeId, change);
  }

  write(): void {
    const upsert = this.#statements.plain(
      `INSERT INTO usage (service_id, type_id, profiles, sent_bytes, original_bytes)
      VALUES (@serviceId, @typeId, @profiles, @sentBytes, @originalBytes)
      ON CONFLICT DO UPDATE SET profiles = profiles + excluded.profiles, sent_bytes = sent_bytes + excluded.sent_bytes,
        original_bytes = original_bytes + excluded.original_bytes`,
    );
    for (const change of this.#changes.values()) upsert.run(change);
    this.#changes.clear();
  }

  /** After a rollback. */
  forget(): void {
    this.#changes.clear();
  }
}

/** Of every service and type that ever had profiles. The time of the first id is that of the first profile, to the millisecond. */
export function readUsage(statements: Statements): UsageRow[] {
  const start = (order: "ASC" | "DESC") =>
    `(SELECT p.time_ns FROM profile p NOT INDEXED WHERE p.service_id = u.service_id AND p.type_id = u.type_id
      ORDER BY p.profile_id ${order} LIMIT 1)`;
  const packed = (value: string, table: string) =>
    `(SELECT ${value} FROM pack_set s INDEXED BY pack_set_by_window CROSS JOIN ${table} k ON k.set_id = s.set_id
      WHERE s.service_id = u.service_id AND s.type_id = u.type_id)`;
  const rows = statements
    .exact(
      `SELECT u.service_id, u.type_id, u.profiles, u.sent_bytes, u.original_bytes,
      coalesce(${packed("sum(k.profiles)", "pack")}, 0) - ${packed("count(*)", "tombstone")},
      coalesce(${packed("sum(k.size_bytes)", "pack")}, 0), ${start("ASC")}, ${start("DESC")} FROM usage u`,
    )
    .all() as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint | null, bigint | null][];
  return rows.map(([serviceId, typeId, profiles, sent, original, packedProfiles, packBytes, firstNs, lastNs]) => ({
    serviceId: Number(serviceId),
    typeId: Number(typeId),
    profiles: Number(profiles),
    packedProfiles: Number(packedProfiles),
    sentBytes: Number(sent),
    originalBytes: Number(original),
    packBytes: Number(packBytes),
    firstNs,
    lastNs,
  }));
}
