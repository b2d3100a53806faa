// Uploads on the disk until a server has them: one file each, synced before it is acknowledged, and no more bytes than are allowed.
// Who sends them on is deliver.ts.

import { randomBytes } from "node:crypto";
import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { validateHeaderName, validateHeaderValue } from "node:http";
import { join } from "node:path";
import { DomainError } from "../../model/errors.ts";
import { makeDurableFolder, syncFolder } from "../../storage/disk/durable.ts";
import { lockFolder } from "../../storage/disk/lock.ts";
import { systemFault } from "../system-fault.ts";

export interface SpooledUpload {
  /** Path and query, as they are sent on. */
  target: string;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

const SUFFIX = ".upload";
const UNFINISHED = ".tmp";
const DAMAGED = ".damaged";
const NEWLINE = 0x0a;
/** What a request's line may have. */
const TARGET = /^\/[\x21-\xff]*$/;

export class Spool implements Disposable {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #lock: Disposable;
  /** By name; names sort by arrival. */
  readonly #sizes = new Map<string, number>();
  #bytes = 0;
  #lastMs = 0;
  #inMs = 0;

  private constructor(folder: string, maxBytes: number, lock: Disposable) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#lock = lock;
  }

  /** With what an earlier process left. Throws `unavailable` where the folder is another's, or cannot be used. */
  static async open(folder: string, maxBytes: number): Promise<Spool> {
    try {
      await makeDurableFolder(folder);
      const spool = new Spool(folder, maxBytes, lockFolder(folder));
      await spool.#takeStock();
      return spool;
    } catch (cause) {
      if (!(cause instanceof Error && "syscall" in cause)) throw cause;
      throw new DomainError("unavailable", `Cannot use the spool ${folder}: ${cause.message}`, { cause });
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The oldest first. */
  names(): string[] {
    return [...this.#sizes.keys()].sort();
  }

  /** Durable when it resolves, with its name. Throws `unavailable` where there is no room. */
  async add({ target, headers, body }: SpooledUpload): Promise<string> {
    const head = Buffer.from(`${JSON.stringify({ target, headers })}\n`);
    const size = head.length + body.length;
    if (this.#bytes + size > this.#maxBytes) {
      throw full(`${this.#bytes} of ${this.#maxBytes} bytes wait for the server; --spool-bytes allows more`);
    }
    this.#bytes += size;
    const name = `${this.#nextPlace()}-${randomBytes(6).toString("hex")}${SUFFIX}`;
    try {
      await this.#write(name, [head, body]);
    } catch (cause) {
      this.#bytes -= size;
      await rm(this.#path(`${name}${UNFINISHED}`), { force: true });
      throw full(cause instanceof Error ? cause.message : String(cause), cause);
    }
    this.#sizes.set(name, size);
    return name;
  }

  /**
   * Undefined where it is none, and put aside with its name and `.damaged`, or where somebody has taken it away, so that it stops nobody.
   * Throws `unavailable` where it cannot be read now: it may be another time.
   */
  async read(name: string): Promise<SpooledUpload | undefined> {
    try {
      const upload = parseUpload(await readFile(this.#path(name)));
      if (upload !== undefined) return upload;
      await rename(this.#path(name), this.#path(`${name}${DAMAGED}`));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
        throw new DomainError("unavailable", `Cannot read the spool: ${systemFault(cause)}`, { cause });
      }
    }
    this.#forget(name);
    return undefined;
  }

  /**
   * A removal that is lost with the power means that it is sent again, which the server notices. Throws `unavailable` where the disk does
   * not let it go.
   */
  async remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true }).catch((cause) => {
      throw new DomainError("unavailable", `Cannot write to the spool: ${systemFault(cause)}`, { cause });
    });
    this.#forget(name);
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }

  /** Milliseconds, and a number within each. */
  #nextPlace(): string {
    const ms = Math.max(Date.now(), this.#lastMs);
    this.#inMs = ms === this.#lastMs ? this.#inMs + 1 : 0;
    this.#lastMs = ms;
    return `${String(ms).padStart(15, "0")}-${String(this.#inMs).padStart(6, "0")}`;
  }

  async #write(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    const unfinished = this.#path(`${name}${UNFINISHED}`);
    // Headers may hold a sender's key.
    const file = await open(unfinished, "wx", 0o600);
    try {
      for (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, this.#path(name));
    await syncFolder(this.#folder);
  }

  #forget(name: string): void {
    this.#bytes -= this.#sizes.get(name) ?? 0;
    this.#sizes.delete(name);
  }

  async #takeStock(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (name.endsWith(`${SUFFIX}${UNFINISHED}`)) await rm(this.#path(name)); // nobody was told that it is there
      if (!name.endsWith(SUFFIX)) continue;
      const { size } = await stat(this.#path(name));
      this.#sizes.set(name, size);
      this.#bytes += size;
    }
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

/** Undefined for what no relay has written. */
function parseUpload(whole: Buffer): SpooledUpload | undefined {
  const end = whole.indexOf(NEWLINE);
  try {
    const { target, headers } = JSON.parse(whole.toString("utf8", 0, end));
    if (!TARGET.test(target)) return undefined;
    for (const [name, value] of Object.entries<string>(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    return { target, headers, body: whole.subarray(end + 1) };
  } catch {
    return undefined;
  }
}

function full(reason: string, cause?: unknown): DomainError {
  return new DomainError("unavailable", `Cannot take an upload: ${reason}`, { cause });
}
