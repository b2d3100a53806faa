// Builds the Go programs of bench/go into the cache. What they do is said in their own files.

import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

export const CACHE = join(import.meta.dirname, ".cache");
const MODULE = join(import.meta.dirname, "go");

/** Builds `bench/go/cmd/<program>` and answers the path of the executable. `folder` is below the cache. */
export async function buildGoProgram(program: string, folder = "bin", tags = ""): Promise<string> {
  const executable = join(CACHE, folder, program);
  await mkdir(join(CACHE, folder), { recursive: true });
  await run("go", ["build", "-trimpath", "-buildvcs=false", "-tags", tags, "-o", executable, `./cmd/${program}`], {
    cwd: MODULE,
  });
  return executable;
}

/** Runs a program to its end and answers its standard output. Rejects with its standard error when it fails. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(program, args, { cwd: options.cwd, env: { ...process.env, ...options.env } });
  let output = "";
  let complaints = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk));
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk));
  child.on("error", reject);
  child.on("close", (code) => {
    if (code === 0) resolve(output);
    else reject(new Error(`${program} ${args.join(" ")} ended with ${code}: ${complaints.trim()}`));
  });
  return promise;
}
