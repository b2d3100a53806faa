// Immutable named objects, each a file of its own: written aside, synced, then renamed, so that a name is whole or absent.

import { open, readdir, rename, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import { checkObjectName, nameIsTaken } from "../object-name.ts";
import { makeDurableFolder, syncFolder } from "./durable.ts";
import { writeFailure } from "./write-failure.ts";

export class Objects {
  readonly #folder: string;
  /** Holds what is not whole yet; emptied at start. */
  readonly #scratch: string;
  readonly #putting = new Set<string>();
  #lastScratchId = 0;

  private constructor(folder: string) {
    this.#folder = objectsFolder(folder);
    this.#scratch = join(folder, "scratch");
  }

  static async open(folder: string, report: (message: string) => void): Promise<Objects> {
    const objects = new Objects(folder);
    await makeDurableFolder(objects.#folder);
    await makeDurableFolder(objects.#scratch);
    const unfinished = await readdir(objects.#scratch);
    for (const file of unfinished) await rm(join(objects.#scratch, file));
    if (unfinished.length > 0) report(`${unfinished.length} unfinished objects are deleted`);
    return objects;
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(name);
    if (this.#putting.has(name)) throw nameIsTaken(name);
    this.#putting.add(name);
    try {
      if (await exists(path)) throw nameIsTaken(name);
      await this.#write(name, path, bytes);
    } finally {
      this.#putting.delete(name);
    }
  }

  async #write(name: string, path: string, bytes: Uint8Array): Promise<void> {
    const scratch = join(this.#scratch, String(++this.#lastScratchId));
    try {
      await writeSynced(scratch, bytes);
      await rename(scratch, path);
      await syncFolder(this.#folder);
    } catch (cause) {
      await rm(scratch, { force: true });
      throw writeFailure(`put object ${quote(name)}`, cause);
    }
  }

  async readRange(name: string, offset: number, length: number): Promise<Uint8Array> {
    try {
      await using handle = await open(this.#path(name), "r");
      const size = (await handle.stat()).size;
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled);
        if (bytesRead === 0) throw new DomainError("unavailable", `Object ${quote(name)} ended while it was read`);
        filled += bytesRead;
      }
      return buffer;
    } catch (cause) {
      if (isAbsent(cause)) throw new DomainError("not-found", `There is no object ${quote(name)}`, { cause });
      throw cause;
    }
  }

  async delete(name: string): Promise<void> {
    try {
      await unlink(this.#path(name));
      await syncFolder(this.#folder);
    } catch (cause) {
      if (!isAbsent(cause)) throw writeFailure(`delete object ${quote(name)}`, cause);
    }
  }

  async list(prefix: string): Promise<string[]> {
    const names = (await readdir(this.#folder)).map((file) => file.replaceAll("~", "/"));
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  #path(name: string): string {
    return join(this.#folder, objectFile(name));
  }
}

/** One folder for all: one to sync. */
export function objectsFolder(folder: string): string {
  return join(folder, "objects");
}

export function objectFile(name: string): string {
  return checkObjectName(name).replaceAll("/", "~");
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  await using handle = await open(path, "wx");
  await handle.writeFile(bytes);
  await handle.sync();
}

async function exists(path: string): Promise<boolean> {
  try {
    await using _handle = await open(path, "r");
    return true;
  } catch (cause) {
    if (isAbsent(cause)) return false;
    throw cause;
  }
}

function isAbsent(cause: unknown): boolean {
  return (cause as { code?: string }).code === "ENOENT";
}
