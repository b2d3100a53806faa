// Names that the writer turns into small ids: services, types, shapes, submitters, labels, series. Looked up in memory, then in the
// database, then created; what is created is told, so that the series index can follow.

import { labelsHash } from "../../model/profile-id.ts";
import type { NewNames } from "../series-index.ts";
import type { Statements } from "./statements.ts";

/** The one tenant there is; the column is there so that more can come. */
const TENANT_ID = 1;
/** Names held in memory per table; beyond it the oldest makes room and is looked up again. */
const CACHED_NAMES = 65_536;

export class NameTable {
  readonly #statements: Statements;
  readonly #services: Interner;
  readonly #types: Interner;
  readonly #shapes: Interner;
  readonly #submitters: Interner;
  readonly #series = new Map<string, number>();
  readonly #sampleKeys = new Map<string, true>();
  #created: { -readonly [list in keyof NewNames]: NewNames[list][number][] } = nothing();

  constructor(statements: Statements) {
    this.#statements = statements;
    const tenant = `tenant_id = ${TENANT_ID} AND name`;
    this.#services = new Interner(statements, "service", tenant, `(tenant_id, name) VALUES (${TENANT_ID}, ?)`);
    this.#types = new Interner(statements, "type", "name", "(name) VALUES (?)");
    this.#shapes = new Interner(statements, "shape", "signature", "(signature) VALUES (?)");
    this.#submitters = new Interner(statements, "submitter", "name", "(name) VALUES (?)");
  }

  service(name: string): number {
    return this.#services.idOf(name, (id) => this.#created.services.push([id, name]));
  }

  type(name: string): number {
    return this.#types.idOf(name, (id) => this.#created.types.push([id, name]));
  }

  shape(signature: string): number {
    return this.#shapes.idOf(signature, (id) => this.#created.shapes.push([id, signature]));
  }

  submitter(name: string): number {
    return this.#submitters.idOf(name, () => {});
  }

  series(serviceId: number, typeId: number, labelsText: string): number {
    const key = `${serviceId} ${typeId} ${labelsText}`;
    let seriesId = this.#series.get(key);
    if (seriesId === undefined) {
      seriesId = this.#findOrCreateSeries(serviceId, typeId, labelsText);
      remember(this.#series, key, seriesId);
    }
    return seriesId;
  }

  sampleLabelKeys(seriesId: number, names: readonly string[]): void {
    if (names.length === 0) return;
    const key = `${seriesId} ${names.join("\0")}`;
    if (this.#sampleKeys.has(key)) return;
    const insert = this.#statements.plain("INSERT OR IGNORE INTO sample_label_key VALUES (?, ?)");
    for (const name of names) insert.run(seriesId, name);
    remember(this.#sampleKeys, key, true);
  }

  /** What was created since this was asked last. */
  takeCreated(): NewNames {
    const created = this.#created;
    this.#created = nothing();
    return created;
  }

  /** After a rollback: what it created is not there. */
  forget(): void {
    for (const interner of [this.#services, this.#types, this.#shapes, this.#submitters]) interner.forget();
    this.#series.clear();
    this.#sampleKeys.clear();
    this.#created = nothing();
  }

  #findOrCreateSeries(serviceId: number, typeId: number, labelsText: string): number {
    const pairs = JSON.parse(labelsText) as [string, string][];
    const hash = Buffer.from(labelsHash(pairs.map(([name, value]) => ({ name, value }))));
    const find = "SELECT series_id FROM series WHERE service_id = ? AND type_id = ? AND labels_hash = ?";
    const found = this.#statements.value(find, serviceId, typeId, hash) as number | undefined;
    if (found !== undefined) return found;
    const insert = this.#statements.plain("INSERT INTO series (service_id, type_id, labels_hash) VALUES (?, ?, ?)");
    const seriesId = Number(insert.run(serviceId, typeId, hash).lastInsertRowid);
    const labelIds = pairs.map(([name, value]) => this.#label(name, value));
    const link = this.#statements.plain("INSERT INTO series_label (label_id, series_id) VALUES (?, ?)");
    for (const labelId of labelIds) link.run(labelId, seriesId);
    this.#created.series.push([seriesId, serviceId, typeId, labelIds]);
    return seriesId;
  }

  #label(name: string, value: string): number {
    const find = "SELECT label_id FROM label WHERE name = ? AND value = ?";
    const found = this.#statements.value(find, name, value) as number | undefined;
    if (found !== undefined) return found;
    const insert = this.#statements.plain("INSERT INTO label (name, value) VALUES (?, ?)");
    const labelId = Number(insert.run(name, value).lastInsertRowid);
    this.#created.labels.push([labelId, name, value]);
    return labelId;
  }
}

/** One table of unique texts. */
class Interner {
  readonly #statements: Statements;
  readonly #find: string;
  readonly #insert: string;
  readonly #ids = new Map<string, number>();

  constructor(statements: Statements, table: string, where: string, values: string) {
    this.#statements = statements;
    this.#find = `SELECT ${table}_id FROM ${table} WHERE ${where} = ?`;
    this.#insert = `INSERT INTO ${table} ${values}`;
  }

  idOf(text: string, created: (id: number) => void): number {
    let id = this.#ids.get(text);
    if (id !== undefined) return id;
    id = this.#statements.value(this.#find, text) as number | undefined;
    if (id === undefined) {
      id = Number(this.#statements.plain(this.#insert).run(text).lastInsertRowid);
      created(id);
    }
    remember(this.#ids, text, id);
    return id;
  }

  forget(): void {
    this.#ids.clear();
  }
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  if (map.size >= CACHED_NAMES) map.delete(map.keys().next().value!);
  map.set(key, value);
}

function nothing() {
  return { services: [], types: [], shapes: [], labels: [], series: [] };
}
