// What the writing thread is asked, in order. Inserts that wait are taken together into one commit. A thread may do more beside the catalog:
// what that is, its entry says.

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { toErrorMessage } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { InsertMessage } from "./insert-message.ts";
import { openDatabase, translateSqliteError } from "./open-database.ts";
import { CatalogWriter, type InsertAnswer } from "./writer.ts";

type Insert = { requestId: number; method: "insert"; argument: InsertMessage };
type WriterRequest = Insert | { requestId: number; method: string; argument: unknown } | "close";

/** Of the first of the bodies; the others lie behind it. */
export type StoreAnswer = InsertAnswer & { segmentId: number; offset: number };

export interface BesideCatalog {
  /** By their names, which none of CatalogWriter's methods has. */
  methods: Readonly<Record<string, (argument: never) => unknown>>;
  /** Makes the bodies of inserts durable, all of one kind, and writes into the rows where they lie. When it fails, so do these inserts. */
  appendBodies(inserts: readonly InsertMessage[]): void;
}

/** Answers until it is told to close, and then lets go of the catalog. */
export function answerWriterRequests(
  port: MessagePort,
  { path, limits }: { path: string; limits: Limits },
  beside?: BesideCatalog,
): void {
  const database = openDatabase(path, "writer");
  const writer = new CatalogWriter(database);

  port.on("message", (first: WriterRequest) => {
    for (let request: WriterRequest | undefined = first; request !== undefined; ) {
      request = isInsert(request) ? insertWaiting(request) : answer(request);
    }
  });

  /** Commits `first` and the inserts that wait behind it. Answers the request that ended the run, which is to be handled next. */
  function insertWaiting(first: Insert): WriterRequest | undefined {
    const taken = [first];
    let { rows, bytes } = weightOf(first);
    let next: WriterRequest | undefined;
    while (rows < limits.commitRows && bytes < limits.commitBytes) {
      next = (receiveMessageOnPort(port) as { message: WriterRequest } | undefined)?.message;
      if (next === undefined || !isInsert(next) || kindOf(next) !== kindOf(first)) break;
      taken.push(next);
      const weight = weightOf(next);
      rows += weight.rows;
      bytes += weight.bytes;
      next = undefined;
    }
    insertAll(taken);
    return next;
  }

  function insertAll(taken: readonly Insert[]): void {
    const inserts = taken.map(({ argument }) => argument);
    try {
      if (kindOf(taken[0]!)) beside!.appendBodies(inserts);
    } catch (error) {
      for (const { requestId } of taken) port.postMessage({ requestId, error: toErrorMessage(error) });
      return;
    }
    for (const [at, answer] of writer.insertAll(inserts).entries()) {
      const { requestId, argument } = taken[at]!;
      if ("error" in answer) port.postMessage({ requestId, error: toErrorMessage(translateSqliteError(answer.error)) });
      else port.postMessage({ requestId, value: argument.bodies ? { ...answer, ...placeOf(argument) } : answer });
    }
  }

  function answer(request: Exclude<WriterRequest, Insert>): undefined {
    if (request === "close") {
      writer.close();
      database.close();
      port.close();
      return;
    }
    const { requestId, method, argument } = request;
    try {
      const call = beside?.methods[method] ?? writer[method as "delete"].bind(writer);
      port.postMessage({ requestId, value: call(argument as never) });
    } catch (error) {
      port.postMessage({ requestId, error: toErrorMessage(translateSqliteError(error)) });
    }
  }
}

function isInsert(request: WriterRequest): request is Insert {
  return request !== "close" && request.method === "insert";
}

function kindOf({ argument }: Insert): string | undefined {
  return argument.bodies?.kind;
}

function weightOf({ argument: { rows, bodies } }: Insert): { rows: number; bytes: number } {
  return { rows: rows.length, bytes: bodies?.bytes.reduce((sum, { length }) => sum + length, 0) ?? 0 };
}

function placeOf({ rows }: InsertMessage): { segmentId: number; offset: number } {
  const { segmentId, offset } = rows[0]!;
  return { segmentId, offset };
}
