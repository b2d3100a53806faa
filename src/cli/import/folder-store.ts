// A folder as a store: every file below it, but for names that begin with a dot.

import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DomainError } from "../../model/errors.ts";
import { tooLarge } from "../push/read-within.ts";
import { filesBelow } from "../push/sources.ts";
import { systemFault } from "../system-fault.ts";
import type { Store, StoredObject } from "./store.ts";

export async function openFolder(folder: string): Promise<Store> {
  const stats = await stat(folder).catch((cause) => {
    throw new DomainError("not-found", `Cannot read ${folder}: ${systemFault(cause)}`, { cause });
  });
  if (!stats.isDirectory()) {
    throw new DomainError("invalid", `Cannot import ${folder}: it is no folder; profusion push takes files`);
  }

  async function* list(): AsyncGenerator<StoredObject> {
    for await (const source of filesBelow(folder, "")) {
      if (source.kind === "nothing") throw new DomainError("invalid", `${source.name}: ${source.failure.message}`);
      if (source.kind !== "file") continue;
      // What is gone by now fails when it is read, by its name.
      const { size, mtimeMs } = (await stat(source.path).catch(() => undefined)) ?? { size: 0, mtimeMs: 0 };
      yield { name: source.patternPath, sizeBytes: size, changedMs: Math.floor(mtimeMs) };
    }
  }

  return {
    url: resolve(folder),
    prefix: "",
    list,
    async read({ name, sizeBytes }, maxBytes, signal) {
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      try {
        return { bytes: await readFile(join(folder, name), { signal }) };
      } catch (cause) {
        if (signal.aborted) throw cause;
        throw new DomainError("not-found", `Cannot read it: ${systemFault(cause)}`, { cause });
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}
