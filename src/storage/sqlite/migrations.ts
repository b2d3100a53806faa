// The catalog's schema as an append-only list of migrations, and how a file is brought to the newest. A landed entry never changes.

import type { Database } from "better-sqlite3";
import { DomainError } from "../../model/errors.ts";

/** Entry n brings a file of version n to version n + 1. Version 0 is an empty file. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO counter VALUES ('seq', 0);

  CREATE TABLE service (
    service_id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (tenant_id, name)
  ) STRICT;
  CREATE TABLE type (type_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE shape (shape_id INTEGER PRIMARY KEY, signature TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE submitter (submitter_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

  CREATE TABLE label (label_id INTEGER PRIMARY KEY, name TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (name, value)) STRICT;
  CREATE TABLE series (
    series_id INTEGER PRIMARY KEY, service_id INTEGER NOT NULL, type_id INTEGER NOT NULL, labels_hash BLOB NOT NULL,
    UNIQUE (service_id, type_id, labels_hash)
  ) STRICT;
  CREATE TABLE series_label (
    label_id INTEGER NOT NULL, series_id INTEGER NOT NULL, PRIMARY KEY (label_id, series_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sample_label_key (
    series_id INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (series_id, name)
  ) STRICT, WITHOUT ROWID;

  -- flags: bits 0 and 1 say whose the time is (0 profile, 1 client, 2 receipt); bit 2 is kept for what is packed.
  CREATE TABLE profile (
    service_id INTEGER NOT NULL, type_id INTEGER NOT NULL, profile_id BLOB NOT NULL,
    series_id INTEGER NOT NULL, seq INTEGER NOT NULL,
    time_ns INTEGER NOT NULL, received_ns INTEGER NOT NULL, duration_ns INTEGER NOT NULL, claimed_ns INTEGER,
    flags INTEGER NOT NULL, shape_id INTEGER, size_bytes INTEGER NOT NULL, samples INTEGER NOT NULL,
    submitter_id INTEGER, digest BLOB NOT NULL,
    segment_id INTEGER NOT NULL, offset INTEGER NOT NULL, external_id TEXT,
    v0 INTEGER, v1 INTEGER, v2 INTEGER, v3 INTEGER, more_totals TEXT,
    PRIMARY KEY (service_id, type_id, profile_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX profile_by_id ON profile (profile_id, series_id);
  CREATE INDEX profile_by_series ON profile (series_id, profile_id);
  CREATE INDEX profile_by_external_id ON profile (external_id) WHERE external_id IS NOT NULL;
  CREATE INDEX profile_by_receipt ON profile (digest, series_id, received_ns) WHERE flags & 3 = 2;

  CREATE TABLE request (
    request_id TEXT PRIMARY KEY, profile_id BLOB NOT NULL, received_ns INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX request_by_receipt ON request (received_ns);
  CREATE TABLE segment (
    segment_id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, dead_bytes INTEGER NOT NULL, live INTEGER NOT NULL,
    end_offset INTEGER NOT NULL, first_id BLOB NOT NULL, last_id BLOB NOT NULL
  ) STRICT;

  CREATE TABLE pack_set (
    set_id INTEGER PRIMARY KEY, service_id INTEGER NOT NULL, type_id INTEGER NOT NULL, shape_id INTEGER NOT NULL,
    level INTEGER NOT NULL, start_ms INTEGER NOT NULL, seq_from INTEGER NOT NULL, covers_seq INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX pack_set_by_window ON pack_set (service_id, type_id, start_ms);
  CREATE TABLE pack (
    pack_id INTEGER PRIMARY KEY, set_id INTEGER NOT NULL, profiles INTEGER NOT NULL, label_groups BLOB NOT NULL,
    bytes INTEGER NOT NULL, locator TEXT NOT NULL
  ) STRICT;
  CREATE INDEX pack_by_set ON pack (set_id);
  CREATE TABLE tombstone (
    pack_id INTEGER NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (pack_id, row)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, service_id INTEGER, payload TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- Nothing was ever written to the tables that go. Deleted profiles of a set are known by seq, which stays when a set is packed anew,
  -- as row numbers do not.
  DROP TABLE pack_set;
  DROP TABLE pack;
  DROP TABLE tombstone;
  CREATE TABLE pack_set (
    set_id INTEGER PRIMARY KEY AUTOINCREMENT, service_id INTEGER NOT NULL, type_id INTEGER NOT NULL, shape_id INTEGER NOT NULL,
    level INTEGER NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, seq_from INTEGER NOT NULL, covers_seq INTEGER NOT NULL,
    settled INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX pack_set_by_window ON pack_set (service_id, type_id, start_ns);
  CREATE INDEX pack_set_unsettled ON pack_set (set_id) WHERE settled = 0;
  CREATE INDEX pack_set_by_level ON pack_set (level, start_ns);
  CREATE TABLE pack (
    pack_id INTEGER PRIMARY KEY, set_id INTEGER NOT NULL, profiles INTEGER NOT NULL, size_bytes INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX pack_by_set ON pack (set_id);
  CREATE TABLE tombstone (set_id INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (set_id, seq)) STRICT, WITHOUT ROWID;
  INSERT INTO counter VALUES ('pack', 0);
  -- flags: bit 2 says packed, bit 3 set aside: never packed.
  CREATE INDEX profile_loose ON profile (service_id, type_id, profile_id, flags) WHERE flags & 4 = 0;
  `,
  `
  -- What the numbers of a column are is part of its shape, behind the period type; columns of before are what their names say.
  UPDATE shape SET signature = substr(signature, 1, instr(signature, '],')) || replace(replace(replace(replace(replace(replace(replace(replace(replace(substr(signature, instr(signature, '],') + 1),
    '["inuse_objects","count"]', '["inuse_objects","count","gauge"]'), '["inuse_space","bytes"]', '["inuse_space","bytes","gauge"]'),
    '["goroutine","count"]', '["goroutine","count","gauge"]'), '["goroutines","count"]', '["goroutines","count","gauge"]'),
    '["threadcreate","count"]', '["threadcreate","count","gauge"]'),
    '["alloc_objects","count"]', '["alloc_objects","count","cumulative"]'), '["alloc_space","bytes"]', '["alloc_space","bytes","cumulative"]'),
    '["contentions","count"]', '["contentions","count","cumulative"]'), '["delay","nanoseconds"]', '["delay","nanoseconds","cumulative"]');
  `,
  `
  -- What each service and type takes, kept from now on; what there is already is counted once.
  CREATE TABLE usage (
    service_id INTEGER NOT NULL, type_id INTEGER NOT NULL, profiles INTEGER NOT NULL, sent_bytes INTEGER NOT NULL,
    original_bytes INTEGER NOT NULL, PRIMARY KEY (service_id, type_id)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO usage SELECT service_id, type_id, count(*), sum(size_bytes), sum(iif(segment_id = 0, 0, size_bytes))
  FROM profile GROUP BY service_id, type_id;
  `,
  `
  -- Numbers that were given to packs which no set names: their files go. Files of other numbers are not this catalog's to delete.
  CREATE TABLE pack_unnamed (pack_id INTEGER PRIMARY KEY) STRICT;
  `,
  `
  -- By the service's name: it may have no profiles, and no number, yet. Where a channel points is its last move.
  CREATE TABLE pgo_policy (
    service TEXT NOT NULL, name TEXT NOT NULL, policy TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (service, name)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO counter VALUES ('pgo_policy', 0);
  CREATE TABLE release (
    service TEXT NOT NULL, name TEXT NOT NULL, created_ns INTEGER NOT NULL, digest BLOB NOT NULL, size_bytes INTEGER NOT NULL,
    stored_digest BLOB NOT NULL, inputs_digest BLOB NOT NULL, manifest_digest BLOB NOT NULL, verdict TEXT NOT NULL,
    object_id TEXT NOT NULL, PRIMARY KEY (service, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX release_by_time ON release (service, created_ns, name);
  CREATE TABLE release_unfinished (object_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE channel_move (
    service TEXT NOT NULL, channel TEXT NOT NULL, version INTEGER NOT NULL, release TEXT NOT NULL, moved_ns INTEGER NOT NULL,
    PRIMARY KEY (service, channel, version)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Each migration is one transaction. Throws `conflict` for a file that a newer program wrote. */
export function migrate(database: Database, migrations: readonly string[] = MIGRATIONS): void {
  const version = Number(database.pragma("user_version", { simple: true }));
  if (version > migrations.length) {
    throw new DomainError(
      "conflict",
      `Cannot open catalog ${database.name}: it has version ${version}, this program knows versions up to ${migrations.length}; use the newer program that wrote it`,
    );
  }
  for (let from = version; from < migrations.length; from++) {
    database.transaction(() => {
      database.exec(migrations[from]!);
      database.pragma(`user_version = ${from + 1}`);
    })();
  }
}
