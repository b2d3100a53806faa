// Stores that are not ours, each as a process on a free port of 127.0.0.1, for tests of what reads from them: Redis, an S3 server, a Cloud
// Storage server. The last two are built by Go, as test/go-tools/go.mod pins them.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";

export interface StoreForTest extends AsyncDisposable {
  child: ChildProcess;
  port: number;
}

export const S3_KEY = { accessKeyId: "test-access", secretAccessKey: "test-secret-key" };

export function runRedis(options: readonly string[] = []): Promise<StoreForTest> {
  return runStore("redis-server", (port, folder) => {
    const tls = options.includes("--tls-cert-file");
    const ports = tls ? ["--port", "0", "--tls-port", `${port}`] : ["--port", `${port}`];
    return [...ports, "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...options];
  });
}

export function runS3(): Promise<StoreForTest> {
  const program = buildTool("versitygw", "github.com/versity/versitygw/cmd/versitygw");
  const env = { ROOT_ACCESS_KEY: S3_KEY.accessKeyId, ROOT_SECRET_KEY: S3_KEY.secretAccessKey };
  return runStore(program, (port, folder) => ["--port", `127.0.0.1:${port}`, "--quiet", "posix", folder], env);
}

export function runGcs(): Promise<StoreForTest> {
  const program = buildTool("fake-gcs-server", "github.com/fsouza/fake-gcs-server");
  return runStore(program, (port) => {
    const place = ["-scheme", "http", "-host", "127.0.0.1", "-port", `${port}`, "-public-host", `127.0.0.1:${port}`];
    return [...place, "-backend", "memory", "-log-level", "error"];
  });
}

function buildTool(name: string, path: string): string {
  const program = fileURLToPath(new URL(`../.cache/${name}`, import.meta.url));
  const cwd = fileURLToPath(new URL("../go-tools", import.meta.url));
  execFileSync("go", ["build", "-o", program, path], { cwd, stdio: ["ignore", "inherit", "inherit"] });
  return program;
}

async function runStore(
  program: string,
  argumentsOf: (port: number, folder: string) => string[],
  env: Record<string, string> = {},
): Promise<StoreForTest> {
  const folder = mkdtempSync(join(tmpdir(), "profusion-store-"));
  const port = await freePort();
  const child = spawn(program, argumentsOf(port, folder), {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...env },
  });
  await once(child, "spawn");
  const ended = once(child, "close");
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode} before it listened`);
    await delay(20);
  }
  return {
    child,
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
