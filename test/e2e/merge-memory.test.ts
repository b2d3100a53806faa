// A merge of 20 000 profiles, 1 GB inflated, over HTTP in a small heap: memory is that of the result, and single reads go on meanwhile.
// Needs Linux, which tells a process's peak memory.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildProfile } from "../support/profile-builder.ts";

const PROFILES = 20_000;
const BODIES = 100;
const CLIENTS = 16;
const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS + 2 });
let folder: string;
let server: { url: string; pid: number; stop(): Promise<void> };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "profusion-"));
  const args = ["--max-old-space-size=256", MAIN, "serve", "--listen", "127.0.0.1:0", "--data", folder];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const { promise: port, resolve } = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const found = /"addresses":\[\{[^\]]*"port":(\d+)/.exec(line);
    if (found) resolve(found[1]!);
  });
  const stop = async () => {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect((await ended)[0]).toBe(0);
  };
  server = { url: `http://127.0.0.1:${await port}`, pid: child.pid!, stop };
});
afterAll(async () => {
  agent.destroy();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

test("20 000 profiles of 1 GB merge below 600 MB, and every single read meanwhile is answered", async () => {
  const bodies = Array.from({ length: BODIES }, (_, at) => largeProfile(at));
  const inflatedBytes = bodies.reduce((sum, { length }) => sum + length, 0) * (PROFILES / BODIES);
  expect(inflatedBytes).toBeGreaterThan(1e9);
  const gzipped = bodies.map((raw) => gzipSync(raw, { level: 1 }));

  let next = 0;
  let lastId = "";
  const push = async () => {
    for (let at = next++; at < PROFILES; at = next++) {
      const labels = `labels=round%3D${Math.floor(at / BODIES)}`;
      const answer = await call("POST", `/api/0/profiles?service=big&type=cpu&${labels}`, gzipped[at % BODIES]);
      expect(answer.status).toBe(200);
      lastId = JSON.parse(answer.body.toString()).body.id;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, push));

  let isMerging = true;
  const merging = call(
    "GET",
    "/api/0/profiles/merge?service=big&type=cpu&from=2020-01-01T00:00:00&to=2030-01-01T00:00:00",
  );
  const ended = merging.finally(() => {
    isMerging = false;
  });
  const latenciesMs: number[] = [];
  while (isMerging) {
    const startedMs = performance.now();
    expect((await call("GET", `/api/0/profiles/${lastId}`)).status).toBe(200);
    latenciesMs.push(performance.now() - startedMs);
  }
  const merged = await ended;
  expect(merged.headers["profusion-merged"]).toBe(String(PROFILES));
  expect(gunzipSync(merged.body).length).toBeGreaterThan(1000);
  const peakBytes = await peakMemory(server.pid);
  latenciesMs.sort((a, b) => a - b);
  const p99 = latenciesMs[Math.floor(latenciesMs.length * 0.99)]!;
  console.log(
    `peak ${Math.round(peakBytes / 1e6)} MB; ${latenciesMs.length} single reads meanwhile, p99 ${p99.toFixed(1)} ms`,
  );
  expect(peakBytes).toBeLessThan(600e6);
});

/** About 51 KB inflated, a third of it shared with the others. */
function largeProfile(at: number): Uint8Array {
  const samples = Array.from({ length: 250 }, (_, row) => ({
    stack: [
      `package/of/some/length/module${row}.(*Receiver).methodNumber${(row * 7 + at) % 400}`,
      `shared.caller${row % 20}`,
      "main.main",
    ],
    values: [1, 10_000_000],
    labels: [["request", `unique-value-of-a-request-${at}-${row}-${"x".repeat(80)}`]] as [string, string][],
  }));
  return buildProfile({ timeNs: 1_780_000_000_000_000_000n + BigInt(at) * 1_000_000_000n, samples });
}

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
}

function call(method: string, path: string, body?: Uint8Array): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(`${server.url}${path}`, { method, agent }, async (response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) });
  });
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
