// Starts the product as users do, in a process of its own, and watches its memory. Linux tells the memory; elsewhere it is 0.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CACHE } from "./go-programs.ts";

export const MAIN = join(import.meta.dirname, "..", "src", "cli", "main.ts");

export interface ServerProcess extends AsyncDisposable {
  url: string;
  pid: number;
  /** From the start of the process until it said that it is ready. */
  startMs: number;
  memory(): Promise<Memory>;
  /** Computed by all of its threads since its start. */
  cpuMs(): Promise<number>;
  /** Forgets the peak so far. */
  resetPeak(): Promise<void>;
}

export interface Memory {
  residentBytes: number;
  peakBytes: number;
}

/** `options` are further ones of `serve`. */
export async function startProcess(dataFolder: string, options: readonly string[] = []): Promise<ServerProcess> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [MAIN, "serve", "--listen", "127.0.0.1:0", "--data", dataFolder, ...options], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk));
  const port = await new Promise<number>((resolve, reject) => {
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}: ${complaints.trim()}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = /"addresses":\[\{[^\]]*"port":(\d+)/.exec(line);
      if (found) resolve(Number(found[1]));
    });
  });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url);
  const startMs = performance.now() - startedMs;
  return {
    url,
    pid: child.pid!,
    startMs,
    memory: () => readMemory(child.pid!),
    cpuMs: () => readCpuMs(child.pid!),
    async resetPeak() {
      const switchFile = `/proc/${child.pid}/clear_refs`;
      if (existsSync(switchFile)) await writeFile(switchFile, "5");
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function untilReady(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/readyz`);
    await answer.arrayBuffer();
    if (answer.ok) return;
  }
}

async function readMemory(pid: number): Promise<Memory> {
  const file = `/proc/${pid}/status`;
  const status = existsSync(file) ? await readFile(file, "utf8") : "";
  const bytesOf = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
  return { residentBytes: bytesOf("VmRSS"), peakBytes: bytesOf("VmHWM") };
}

/** Ticks of 10 ms, as Linux reports them. */
const MS_PER_TICK = 10;

export async function readCpuMs(pid: number): Promise<number> {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return 0;
  // The second field, the name in brackets, may hold spaces; user and system ticks are the 14th and the 15th.
  const fields = (await readFile(file, "utf8")).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/** An empty folder on the disk of the cache, gone when disposed: memory disks would make fdatasync free. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  await mkdir(CACHE, { recursive: true });
  const path = await mkdtemp(join(CACHE, "run-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
