// Thread entry: the writing connection. Inserts that wait are taken together into one commit; everything keeps its order.

import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { toErrorMessage } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { InsertMessage } from "./insert-message.ts";
import { openDatabase, translateSqliteError } from "./open-database.ts";
import { CatalogWriter } from "./writer.ts";

type Insert = { requestId: number; method: "insert"; argument: InsertMessage };
type WriterMessage =
  | Insert
  | {
      requestId: number;
      method: Exclude<keyof CatalogWriter, "insertAll" | "close" | number | symbol>;
      argument: never;
    }
  | "close";

const { path, limits } = workerData as { path: string; limits: Limits };
const database = openDatabase(path, "writer");
const writer = new CatalogWriter(database);
const port = parentPort!;

port.on("message", (first: WriterMessage) => {
  for (let message: WriterMessage | undefined = first; message !== undefined; ) {
    message = isInsert(message) ? insertWaiting(message) : handle(message);
  }
});

function isInsert(message: WriterMessage): message is Insert {
  return message !== "close" && message.method === "insert";
}

/** Commits `first` and the inserts that wait behind it. Answers the message that ended the run, which is to be handled next. */
function insertWaiting(first: Insert): WriterMessage | undefined {
  const taken = [first];
  let rows = first.argument.rows.length;
  let next: WriterMessage | undefined;
  while (rows < limits.commitRows) {
    next = (receiveMessageOnPort(port) as { message: WriterMessage } | undefined)?.message;
    if (next === undefined || !isInsert(next)) break;
    taken.push(next);
    rows += next.argument.rows.length;
    next = undefined;
  }
  const answers = writer.insertAll(taken.map(({ argument }) => argument));
  for (const [at, answer] of answers.entries()) {
    const { requestId } = taken[at]!;
    if ("error" in answer) port.postMessage({ requestId, error: toErrorMessage(translateSqliteError(answer.error)) });
    else port.postMessage({ requestId, value: answer });
  }
  return next;
}

function handle(message: Exclude<WriterMessage, Insert>): undefined {
  if (message === "close") {
    writer.close();
    database.close();
    port.close();
    return;
  }
  const { requestId, method, argument } = message;
  try {
    port.postMessage({ requestId, value: writer[method](argument) });
  } catch (error) {
    port.postMessage({ requestId, error: toErrorMessage(translateSqliteError(error)) });
  }
}
