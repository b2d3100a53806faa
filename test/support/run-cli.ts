// The command line as its user meets it: a process, its output, its exit code.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export interface CliResult {
  /** Null where a signal ended it. */
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

/** Runs to the end. The environment has no PROFUSION_ variables but those given, and says nothing of colours. */
export async function runCli(
  args: readonly string[],
  options: { env?: Record<string, string>; input?: Uint8Array; started?: (child: ChildProcess) => void } = {},
): Promise<CliResult> {
  const child = start(args, options.env);
  options.started?.(child);
  child.stdin!.on("error", () => {}); // it may end before it has read all
  child.stdin!.end(options.input ?? "");
  const [stdout, stderr, [code]] = await Promise.all([
    collect(child.stdout!),
    collect(child.stderr!),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr: stderr.toString() };
}

export interface ServeProcess extends AsyncDisposable {
  child: ChildProcess;
  url: string;
  /** Every line of its log so far. */
  log: Record<string, unknown>[];
  /** Resolves with the exit code, or the name of the signal that ended it. */
  ended: Promise<number | string | null>;
}

/** `serve` on a free port of 127.0.0.1, up when it resolves. */
export function runServe(
  dataFolder: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<ServeProcess> {
  return runListening(["serve", "--listen", "127.0.0.1:0", "--data", dataFolder, ...args], "serving", env);
}

/** `relay` likewise. */
export function runRelay(server: string, spool: string, args: readonly string[] = []): Promise<ServeProcess> {
  return runListening(["relay", "--listen", "127.0.0.1:0", "--server", server, "--spool", spool, ...args], "relaying");
}

async function runListening(
  args: readonly string[],
  said: string,
  env: Record<string, string> = {},
): Promise<ServeProcess> {
  const child = start(args, env);
  child.stderr!.pipe(process.stderr);
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string | null);
  const log: Record<string, unknown>[] = [];
  const serving = Promise.withResolvers<string>();
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const entry = JSON.parse(line) as Record<string, unknown>;
    log.push(entry);
    if (entry.msg !== said) return;
    const [address] = entry.addresses as { host: string; port: number }[];
    serving.resolve(`http://${address!.host}:${address!.port}`);
  });
  void ended.then((code) => serving.reject(new Error(`${args[0]} ended with ${code} before it listened`)));
  const url = await serving.promise;
  return {
    child,
    url,
    log,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !/^PROFUSION_|^(FORCE|NO)_COLOR$/.test(name));
  return spawn(process.execPath, [MAIN, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...Object.fromEntries(inherited), ...env },
  });
}

async function collect(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
