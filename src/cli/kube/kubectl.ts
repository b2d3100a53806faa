// The cluster by way of kubectl, which knows every kubeconfig, plugin and proxy that its user has: reading, and port forwards. Which pods
// there are to profile is pods.ts.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { DomainError } from "../../model/errors.ts";
import { systemFault } from "../system-fault.ts";

/** As kubectl has them, but that its --context is --kube-context: --context is the server's. */
export interface ClusterOptions {
  kubeconfig?: string;
  kubeContext?: string;
}

export interface Forward extends AsyncDisposable {
  /** Of 127.0.0.1. */
  port: number;
  /** The first that kubectl says of what fails, which may be a moment after it has failed: the rest follows from it. */
  fault(): Promise<string | undefined>;
}

/** An API server that takes longer does not answer at all. */
const START_MS = 30_000;
const FAULT_MS = 2_000;
/** Of a list: some ten thousand pods. */
const ANSWER_BYTES = 512 * 1024 * 1024;

/** Throws `unavailable`, in kubectl's words, where it fails. */
export async function kubectl(args: readonly string[], options: ClusterOptions, signal: AbortSignal): Promise<string> {
  try {
    const all = [...args, ...clusterFlags(options)];
    return (await promisify(execFile)("kubectl", all, { maxBuffer: ANSWER_BYTES, signal })).stdout;
  } catch (error) {
    signal.throwIfAborted();
    throw failure((error as { stderr?: string }).stderr, error);
  }
}

/** Up when it resolves; its process ends with `signal`. Throws `unavailable` likewise. */
export async function forwardPort(
  pod: { namespace: string; name: string },
  port: number,
  options: ClusterOptions,
  signal: AbortSignal,
): Promise<Forward> {
  const args = ["port-forward", `pod/${pod.name}`, `:${port}`, "--address", "127.0.0.1", "--namespace", pod.namespace];
  const child = spawn("kubectl", [...args, ...clusterFlags(options)], { stdio: ["ignore", "pipe", "pipe"], signal });
  let said: string | undefined;
  const spoken = Promise.withResolvers<void>();
  createInterface({ input: child.stderr! }).on("line", (line) => {
    said ??= line.replace(/^E\d{4} .*?\] /, "");
    spoken.resolve();
  });
  const ended = endOf(child);
  const timer = setTimeout(() => {
    said ??= `it forwarded nothing within ${START_MS / 1000} s`;
    child.kill("SIGKILL");
  }, START_MS);
  const started = Promise.withResolvers<number>();
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const local = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (local !== undefined) started.resolve(Number(local));
  });
  void ended.then((fault) => started.reject(signal.aborted ? signal.reason : failure(said, fault)));
  const local = await started.promise.finally(() => clearTimeout(timer));
  return {
    port: local,
    async fault() {
      await Promise.race([spoken.promise, ended, delay(FAULT_MS, undefined, { ref: false })]);
      return said;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL"); // it has nothing to put in order
      await ended;
    },
  };
}

/** Resolves when the process and its output are over, with why it could not run where it could not. */
function endOf(child: ChildProcess): Promise<Error | undefined> {
  return new Promise((resolve) => {
    child.once("error", resolve);
    child.once("close", () => resolve(undefined));
  });
}

function clusterFlags({ kubeconfig, kubeContext }: ClusterOptions): string[] {
  return [
    ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
    ...(kubeContext === undefined ? [] : ["--context", kubeContext]),
  ];
}

function failure(stderr: string | undefined, cause: unknown): DomainError {
  if ((cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT") {
    const message = "Cannot run kubectl, by which the cluster is reached: it is not on the PATH";
    return new DomainError("unavailable", message, { cause });
  }
  const line = stderr?.trim().split("\n").at(-1) || (cause === undefined ? "it said nothing" : systemFault(cause));
  return new DomainError("unavailable", `kubectl failed: ${line}`, { cause });
}
