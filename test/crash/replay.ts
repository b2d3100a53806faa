// Rebuilds a folder as a power loss at one call of a trace would leave it. Stricter than most file systems: a name is certain only once its
// folder was synced, a page only once its file was.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Random } from "../support/random.ts";
import { type Loss, SimulatedFile } from "./simulated-file.ts";
import type { TraceEvent } from "./trace.ts";

type Entry = SimulatedFile | "folder";

/** A change of names that its folder's sync makes certain. */
interface NameChange {
  at: number;
  folder: string;
  /** The name that goes. */
  removes?: string;
  adds?: { path: string; entry: Entry };
}

export class SimulatedDisk {
  readonly #root: string;
  readonly #durable = new Map<string, Entry>();
  #changes: NameChange[] = [];
  readonly #names = new Map<string, Entry>();
  readonly #inodes = new Map<bigint, SimulatedFile>();
  readonly #syncs = new Map<number, { begin: number; path?: string; inode: bigint }>();
  #now = 0;

  constructor(root: string) {
    this.#root = root;
  }

  apply(event: TraceEvent): void {
    const at = this.#now++;
    switch (event.kind) {
      case "create": {
        const file = new SimulatedFile();
        this.#inodes.set(event.inode, file);
        this.#change({ at, folder: dirname(event.path), adds: { path: event.path, entry: file } });
        break;
      }
      case "write":
        this.#file(event.inode).write(at, event.offset, event.data);
        break;
      case "truncate":
        this.#file(event.inode).truncate(at, event.sizeBytes);
        break;
      case "sync-begin":
        this.#syncs.set(event.sync, { begin: at, inode: event.inode, ...(event.path && { path: event.path }) });
        break;
      case "sync-end":
        this.#synced(event.sync, event.failed);
        break;
      case "mkdir":
        this.#change({ at, folder: dirname(event.path), adds: { path: event.path, entry: "folder" } });
        break;
      case "unlink":
      case "rmdir":
        this.#change({ at, folder: dirname(event.path), removes: event.path });
        break;
      case "rename":
      case "link": {
        const entry = this.#names.get(event.path);
        if (entry === undefined) throw new Error(`The trace renames ${event.path}, which it never made`);
        const removes = event.kind === "rename" ? { removes: event.path } : {};
        this.#change({ at, folder: dirname(event.to), adds: { path: event.to, entry }, ...removes });
        break;
      }
      case "output":
        break;
    }
  }

  /** Path below the root → content; `undefined` is a folder. */
  crash(loss: Loss, random: Random): Map<string, Buffer | undefined> {
    const names = new Map(this.#durable);
    const keeps = random.fraction();
    for (const change of this.#changes) {
      const kept = loss === "all kept" || (loss === "mixed" && random.chance(keeps));
      if (kept) rename(names, change);
    }
    const found = new Map<string, Buffer | undefined>();
    for (const [path, entry] of names) {
      if (!this.#reachable(path, names)) continue;
      const below = path.slice(this.#root.length + 1);
      found.set(below, entry === "folder" ? undefined : entry.crash(loss, random));
    }
    return found;
  }

  #reachable(path: string, names: ReadonlyMap<string, Entry>): boolean {
    const folder = dirname(path);
    return folder === this.#root || (names.get(folder) === "folder" && this.#reachable(folder, names));
  }

  #file(inode: bigint): SimulatedFile {
    const file = this.#inodes.get(inode);
    if (file === undefined) throw new Error(`The trace writes inode ${inode}, which it never made`);
    return file;
  }

  #change(change: NameChange): void {
    // What a rename moves is no longer at its old name, whether or not the making of that name was ever synced.
    if (change.removes && change.adds) {
      this.#changes = this.#changes.filter(({ adds }) => adds?.path !== change.removes);
    }
    this.#changes.push(change);
    rename(this.#names, change);
  }

  #synced(sync: number, failed: boolean): void {
    const { begin, path, inode } = this.#syncs.get(sync)!;
    this.#syncs.delete(sync);
    if (path === undefined) {
      if (failed) this.#file(inode).syncFailed(begin);
      else this.#file(inode).synced(begin);
      return;
    }
    if (failed) return;
    const covers = ({ at, folder }: NameChange) => at < begin && folder === path;
    for (const change of this.#changes.filter(covers)) rename(this.#durable, change);
    this.#changes = this.#changes.filter((change) => !covers(change));
  }
}

function rename(names: Map<string, Entry>, { removes, adds }: NameChange): void {
  if (removes) names.delete(removes);
  if (adds) names.set(adds.path, adds.entry);
}

/** Writes what crash() answered below an existing folder. */
export async function writeRebuilt(rebuilt: ReadonlyMap<string, Buffer | undefined>, folder: string): Promise<void> {
  const shortestFirst = [...rebuilt].sort(([a], [b]) => a.length - b.length);
  for (const [path, content] of shortestFirst) {
    if (content === undefined) await mkdir(join(folder, path), { recursive: true });
    else await writeFile(join(folder, path), content);
  }
}
