// What one start of the command has compiled, the next one loads: half the time of a short verb.

import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { makeFolder } from "../storage/disk/make-folder.ts";

/**
 * Threads do so too: 14 MB each in place of 27, which is mostly what strips types. In the user's own cache folder, since code in a shared
 * one could be anybody's; where it cannot be written, all goes on without.
 */
export function keepCompiled(env: NodeJS.ProcessEnv): void {
  const folder = join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "profusion");
  if (env.NODE_COMPILE_CACHE === undefined && !canKeep(folder)) return;
  enableCompileCache(env.NODE_COMPILE_CACHE ?? folder);
  env.NODE_COMPILE_CACHE ??= folder; // how threads are told
}

/** Asked before Node tries, which never ends in a folder such as /proc. */
function canKeep(folder: string): boolean {
  try {
    makeFolder(folder);
    return true;
  } catch {
    return false;
  }
}
