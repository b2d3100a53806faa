// What the arguments of `push` name: files, folders, globs, stdin, URLs of running programs. Nothing is read of them here.

import type { Stats } from "node:fs";
import { glob, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DomainError } from "../../model/errors.ts";
import { systemFault } from "../system-fault.ts";
import { withoutSecrets } from "../target.ts";
import { redactedUrl } from "./live-profile.ts";

export type Source =
  | {
      kind: "file";
      /** As the user would write it; so in every message. */
      name: string;
      /** Absolute: it is known again from wherever the next run begins. */
      path: string;
      /** What `--pattern` is held against: below the folder that was named, else the whole path. */
      patternPath: string;
    }
  | { kind: "stdin"; name: "-" }
  | { kind: "url"; name: string; url: URL }
  /** An argument, or a folder below one, that leads to no file. */
  | { kind: "nothing"; name: string; failure: DomainError };

const GLOB_CHARACTERS = /[*?[\]{}]/;
/** As `go tool pprof` takes it too: 127.0.0.1:6060/debug/pprof/heap. */
const HOST_AND_PATH = /^(?:[\w.-]+|\[[\da-f:.]+\]):\d{1,5}\//i;

/** In the order of the arguments, each file once; within a folder by name. Names that begin with a dot are left out of folders. */
export async function listSources(args: readonly string[]): Promise<Source[]> {
  const found = new Map<string, Source>();
  for (const arg of args) {
    for await (const source of sourcesOf(arg)) {
      const key = source.kind === "file" ? source.path : `${source.kind} ${source.name}`;
      if (!found.has(key)) found.set(key, source);
    }
  }
  return [...found.values()];
}

async function* sourcesOf(arg: string): AsyncGenerator<Source> {
  if (arg === "-") {
    yield { kind: "stdin", name: arg };
    return;
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(arg)) {
    yield urlSource(arg);
    return;
  }
  const stats = await statsOf(arg);
  if (!stats && HOST_AND_PATH.test(arg)) {
    yield urlSource(`http://${arg}`);
    return;
  }
  if (stats || !GLOB_CHARACTERS.test(arg)) {
    yield* filesAt(arg, stats);
    return;
  }
  const matches: string[] = [];
  for await (const match of glob(arg)) matches.push(match);
  if (matches.length === 0) yield nothing(arg, "No file matches");
  for (const match of matches.sort()) yield* filesAt(match, await statsOf(match));
}

function nothing(name: string, reason: string): Source {
  return { kind: "nothing", name, failure: new DomainError("not-found", reason) };
}

/** What may be a password is in no message. */
function urlSource(text: string): Source {
  const isTaken = /^https?:/i.test(text) && URL.canParse(text);
  if (isTaken) return { kind: "url", name: redactedUrl(new URL(text)), url: new URL(text) };
  const message = "Cannot fetch it: the URL of a program is as http://127.0.0.1:6060/debug/pprof/heap";
  return { kind: "nothing", name: withoutSecrets(text), failure: new DomainError("invalid", message) };
}

/** Undefined where there is nothing, or nothing that can be reached: reading it will say why. */
async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

async function* filesAt(path: string, stats: Stats | undefined): AsyncGenerator<Source> {
  if (!stats?.isDirectory()) {
    yield { kind: "file", name: path, path: resolve(path), patternPath: resolve(path) };
    return;
  }
  let count = 0;
  for await (const source of filesBelow(path, "")) {
    count++;
    yield source;
  }
  if (count === 0) yield nothing(path, "No file is in this folder");
}

export async function* filesBelow(folder: string, below: string): AsyncGenerator<Source> {
  const path = join(folder, below);
  let entries: Awaited<ReturnType<typeof visibleEntries>>;
  try {
    entries = await visibleEntries(path);
  } catch (error) {
    yield nothing(path, `Cannot read this folder: ${systemFault(error)}`);
    return;
  }
  for (const entry of entries) {
    const inner = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(folder, inner);
    // A link may lead to a file; one to a folder could lead in circles.
    else if (entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(join(folder, inner))))) {
      const file = join(folder, inner);
      yield { kind: "file", name: file, path: resolve(file), patternPath: inner };
    }
  }
}

/** One whose name cannot be read is told as a file that cannot. */
async function leadsToFile(link: string): Promise<boolean> {
  return link.includes("\ufffd") || (await statsOf(link))?.isFile() === true;
}

async function visibleEntries(path: string) {
  const entries = await readdir(path, { withFileTypes: true });
  return entries.filter(({ name }) => !name.startsWith(".")).sort((a, b) => (a.name < b.name ? -1 : 1));
}
