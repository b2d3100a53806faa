// Runs a process under the recorder and lets a verifier look at what crashes at random calls would have left. The process is any command
// line; who drives it and who verifies are the caller's functions.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Random } from "../support/random.ts";
import { SimulatedDisk, writeRebuilt } from "./replay.ts";
import type { Loss } from "./simulated-file.ts";
import { readTrace, type TraceEvent } from "./trace.ts";

export interface Recorded {
  events: TraceEvent[];
  /** The folder that was recorded, as the process left it. */
  root: string;
}

export interface RecordOptions {
  command: string;
  /** `root` is an empty folder; what happens in it is recorded. */
  arguments: (root: string) => string[];
  environment?: Record<string, string>;
  /** Ends the process, or waits for its end. */
  drive: (child: ChildProcess, faults: Faults) => Promise<void>;
}

/** Makes calls of the recorded process fail, see test/crash/recorder.c. Anyone may write the file; a path that is absent is no fault. */
export interface Faults {
  path: string;
}

export interface Crash {
  seed: number;
  loss: Loss;
  /** The rebuilt folder. */
  root: string;
  /** What had left the process before the crash. */
  output: string;
}

const LOSSES: readonly Loss[] = ["all lost", "all kept", "mixed", "mixed", "mixed", "mixed"];

/** A workspace that compiles the recorder once and removes all it made. Needs gcc. */
export async function openHarness() {
  const workspace = await realpath(await mkdtemp(join(tmpdir(), "profusion-crash-")));
  const library = join(workspace, "recorder.so");
  const source = fileURLToPath(new URL("./recorder.c", import.meta.url));
  await promisify(execFile)("gcc", ["-Wall", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"]);
  let runs = 0;

  async function record(options: RecordOptions): Promise<Recorded> {
    const run = await mkdtemp(join(workspace, `run-${++runs}-`));
    const root = await mkdtemp(join(run, "root-"));
    const trace = join(run, "trace");
    const faults = { path: join(run, "fault") };
    const child = spawn(options.command, options.arguments(root), {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        ...options.environment,
        UV_USE_IO_URING: "0",
        LD_PRELOAD: library,
        RECORDER_FOLDER: root,
        RECORDER_TRACE: trace,
        RECORDER_FAULT: faults.path,
      },
    });
    const exited = once(child, "exit");
    try {
      await options.drive(child, faults);
    } finally {
      child.kill("SIGKILL");
      await exited;
    }
    return { events: readTrace(await readFile(trace)), root };
  }

  /** Crashes at a call chosen by each seed, and verifies each. What `verify` throws comes out with the seed before it. */
  async function crashEach(
    { events, root }: Recorded,
    seeds: readonly number[],
    verify: (crash: Crash) => Promise<void>,
  ): Promise<void> {
    for (const seed of seeds) {
      const random = new Random(seed);
      const at = random.between(0, events.length);
      const loss = random.pick(LOSSES);
      const disk = new SimulatedDisk(root);
      for (const event of events.slice(0, at)) disk.apply(event);
      const rebuilt = await mkdtemp(join(workspace, `seed-${seed}-`));
      try {
        await writeRebuilt(disk.crash(loss, random), rebuilt);
        await verify({ seed, loss, root: rebuilt, output: outputBefore(events, at) });
      } catch (cause) {
        throw new Error(`Seed ${seed}: crash at call ${at} of ${events.length}, ${loss}: ${cause}`, { cause });
      } finally {
        await rm(rebuilt, { recursive: true });
      }
    }
  }

  return {
    record,
    crashEach,
    [Symbol.asyncDispose]: () => rm(workspace, { recursive: true, force: true }),
  };
}

export type Harness = Awaited<ReturnType<typeof openHarness>>;

function outputBefore(events: readonly TraceEvent[], at: number): string {
  return events
    .slice(0, at)
    .map((event) => (event.kind === "output" ? event.text : ""))
    .join("");
}

/** Paths whose content differs between what the trace says and what the process really left: a call that the recorder missed. */
export async function missedByRecorder({ events, root }: Recorded): Promise<string[]> {
  const disk = new SimulatedDisk(root);
  for (const event of events) disk.apply(event);
  const missed: string[] = [];
  for (const [path, content] of disk.crash("all kept", new Random(0))) {
    if (content === undefined) continue;
    const real = existsSync(join(root, path)) ? await readFile(join(root, path)) : undefined;
    if (real === undefined || !real.equals(content)) missed.push(path);
  }
  return missed;
}
