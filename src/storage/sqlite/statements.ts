// Prepared statements by their text: preparing one costs as much as running it ten times.

import type { Database, Statement } from "better-sqlite3";

export class Statements {
  readonly #database: Database;
  readonly #exact = new Map<string, Statement>();
  readonly #plain = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Rows as arrays, every integer a bigint: for all that may pass 2^53. */
  exact(sql: string): Statement {
    let statement = this.#exact.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      if (statement.reader) statement.raw().safeIntegers();
      this.#exact.set(sql, statement);
    }
    return statement;
  }

  /** Rows as arrays, integers as numbers: for ids, counts and sizes; and for changes. */
  plain(sql: string): Statement {
    let statement = this.#plain.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      if (statement.reader) statement.raw();
      this.#plain.set(sql, statement);
    }
    return statement;
  }

  /** The first column of the first row, its integers as numbers. */
  value(sql: string, ...parameters: unknown[]): unknown {
    return (this.plain(sql).get(...parameters) as unknown[] | undefined)?.[0];
  }
}
