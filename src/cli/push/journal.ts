// What was acknowledged of a push or an import that is not complete, so that the same command goes on from there.

import { hash } from "node:crypto";
import { appendFileSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { makeFolder } from "../../storage/disk/make-folder.ts";
import { systemFault } from "../system-fault.ts";
import type { FileStamp } from "./prepare.ts";

/** Lines of JSON: [path, size in bytes, time of change in ns, id]. Gone when all is sent. */
export class Journal {
  readonly #file: string;
  readonly #ids: Map<string, string>;
  #fault: string | undefined;

  private constructor(file: string, ids: Map<string, string>, fault: string | undefined) {
    this.#file = file;
    this.#ids = ids;
    this.#fault = fault;
  }

  /** `identity` is all that decides what is sent where and as what; `resume` whether what is there counts. */
  static open(verb: "push" | "import", identity: unknown, resume: boolean): Journal {
    const folder = join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "profusion", verb);
    const file = join(folder, `${hash("sha256", JSON.stringify(identity)).slice(0, 32)}.jsonl`);
    try {
      if (!resume) rmSync(file, { force: true });
      return new Journal(file, readIds(file), undefined);
    } catch (error) {
      return new Journal(file, new Map(), systemFault(error));
    }
  }

  /** Why nothing can be kept; the sending itself goes on. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** The id that this state of the file was acknowledged with. */
  idOf(stamp: FileStamp): string | undefined {
    return this.#ids.get(keyOf(stamp));
  }

  /** What a killed process has added is there. */
  add(acknowledged: readonly (readonly [stamp: FileStamp, id: string])[]): void {
    if (this.#fault !== undefined || acknowledged.length === 0) return;
    const lines = acknowledged.map(([stamp, id]) => `${JSON.stringify([...fieldsOf(stamp), id])}\n`);
    try {
      makeFolder(dirname(this.#file), 0o700);
      appendFileSync(this.#file, lines.join(""), { mode: 0o600 });
    } catch (error) {
      this.#fault = systemFault(error);
    }
  }

  remove(): void {
    if (this.#fault === undefined) rmSync(this.#file, { force: true });
  }
}

function fieldsOf({ path, sizeBytes, changedNs }: FileStamp): [string, string, string] {
  return [path, `${sizeBytes}`, `${changedNs}`];
}

function keyOf(stamp: FileStamp): string {
  return JSON.stringify(fieldsOf(stamp));
}

function readIds(file: string): Map<string, string> {
  const ids = new Map<string, string>();
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return ids;
    throw error;
  }
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  // The rest was cut short by the end of its process, and what is added would make a broken line of it.
  if (whole !== text) truncateSync(file, Buffer.byteLength(whole));
  for (const line of whole.split("\n").slice(0, -1)) {
    const [path, size, changed, id] = JSON.parse(line) as [string, string, string, string];
    ids.set(JSON.stringify([path, size, changed]), id);
  }
  return ids;
}
