// What the benchmark ran on: figures mean nothing without it.

import { cpus, loadavg, totalmem } from "node:os";
import { run } from "./go-programs.ts";

export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  /** Of the minute before: well below 1, or others worked too and no figure counts. */
  loadBefore: number;
  node: string;
  go: string;
}

export async function describeMachine(): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    loadBefore: loadavg()[0]!,
    node: process.version,
    go: (await run("go", ["version"])).trim(),
  };
}

/** Short hash of the commit, with `+` where files differ from it; "none" outside of a repository. */
export async function describeCommit(): Promise<string> {
  const options = { cwd: import.meta.dirname };
  try {
    const commit = await run("git", ["rev-parse", "--short", "HEAD"], options);
    const changes = await run("git", ["status", "--porcelain", "--untracked-files=no"], options);
    return commit.trim() + (changes === "" ? "" : "+");
  } catch {
    return "none";
  }
}
