// The whole server as a process of its own, and a client that remembers what it was promised. For tests that end the process by force.

import type { ChildProcess } from "node:child_process";
import { hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { inflate } from "../../src/pprof/gzip.ts";
import { encodeGenerated, generateSet } from "../support/profile-generator.ts";
import type { Random } from "../support/random.ts";

const RECORDED = new URL("../testdata/recorded/", import.meta.url);
const recorded = readdirSync(RECORDED)
  .filter((file) => /^go-(cpu|heap|allocs)-.*[.]pb[.]gz$/.test(file))
  .map((file) => readFileSync(new URL(file, RECORDED)));

export function serverArguments(dataFolder: string, limits: Record<string, number> = {}): string[] {
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const set = Object.entries(limits).flatMap(([name, value]) => ["--limit", `${name}=${value}`]);
  return [main, "serve", "--listen", "127.0.0.1:0", "--data", dataFolder, ...set];
}

export interface StartedServer {
  url: string;
  /** Warnings and worse that it logged, from its start until now. */
  warnings: string[];
}

/** Resolves when the process serves; goes on reading its log. Rejects where it ends before. */
export async function whenServing(child: ChildProcess): Promise<StartedServer> {
  const warnings: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<StartedServer>();
  const lines = createInterface({ input: child.stdout! });
  lines.on("line", (text) => {
    const line = JSON.parse(text) as { level: number; msg: string; addresses?: { host: string; port: number }[] };
    if (line.level >= 40) warnings.push(text);
    if (line.addresses) resolve({ url: `http://127.0.0.1:${line.addresses[0]!.port}`, warnings });
  });
  lines.on("close", () => reject(new Error(`The server ended before it served: ${warnings.join("\n")}`)));
  return promise;
}

/** What the server acknowledged: id → digests of the bytes that were sent, as they were and inflated. */
export type Promised = Map<string, string>;

export interface UploadAnswer {
  status: number;
  /** Where it was acknowledged. */
  id?: string;
  /** Where it was not. */
  error?: string;
  digest: string;
}

/** Another profile each time, as real agents send them: gzipped, 0.3–60 KB. */
export async function upload(url: string, random: Random): Promise<UploadAnswer> {
  const generated = generateSet(random.uint32()).find(({ spec }) => spec.samples.length > 0);
  const bytes = generated && random.chance(0.5) ? gzipSync(encodeGenerated(generated)) : random.pick(recorded);
  const query = `service=crash-${random.between(1, 3)}&type=cpu&labels=n%3D${random.uint32()},instance%3D${random.between(1, 4)}`;
  const response = await fetch(`${url}/api/0/profiles?${query}`, { method: "POST", body: Uint8Array.from(bytes) });
  const answer = (await response.json()) as { body?: { id: string }; error?: string };
  const digest = digestsOf(bytes);
  return {
    status: response.status,
    ...(response.ok ? { id: answer.body!.id } : { error: answer.error ?? "" }),
    digest,
  };
}

/**
 * Deletes a profile, and has the server say so before and after: its answers are in a recording of what it does, so that one shows when a
 * deletion was announced, from where on the profile may be gone, and when it was acknowledged, from where on it must be.
 */
export async function remove(url: string, id: string): Promise<number> {
  await announce(url, `removing-${id}`);
  const { status } = await call(url, "ProfileService/DeleteProfile", { id });
  if (status === 200) await announce(url, `removed-${id}`);
  return status;
}

/** Packs everything loose; answers what it failed with. */
export async function packNow(url: string): Promise<string | undefined> {
  let answer = await call(url, "AdminService/Pack", {});
  for (;;) {
    const { operation } = JSON.parse(answer.body) as {
      operation?: { id: string; done?: boolean; error?: { message: string } };
    };
    if (operation === undefined) return answer.body;
    if (operation.done) return operation.error?.message;
    answer = await call(url, "AdminService/GetOperation", { id: operation.id, maxWait: "60s" });
  }
}

/** The answer repeats the mark. */
async function announce(url: string, mark: string): Promise<void> {
  const { status, body } = await call(url, "QueryService/ParseSelector", { selector: `{mark="${mark}"}` });
  if (!body.includes(mark)) throw new Error(`The mark ${mark} was answered with ${status}: ${body}`);
}

async function call(url: string, method: string, message: object): Promise<{ status: number; body: string }> {
  const response = await fetch(`${url}/profusion.v1.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  });
  return { status: response.status, body: await response.text() };
}

function digestsOf(bytes: Uint8Array): string {
  return [bytes, inflate(bytes, 2 ** 30)].map((each) => hash("sha256", each, "hex")).join(" ");
}

/**
 * Undefined where there is no such profile. One that was packed comes in another gzip: where its content is that of `expected`, that is
 * answered.
 */
export async function downloadDigest(url: string, id: string, expected = ""): Promise<string | undefined> {
  const response = await fetch(`${url}/api/0/profiles/${id}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`Download of ${id} answered ${response.status}: ${Buffer.from(bytes)}`);
  const digests = digestsOf(bytes);
  const isRebuilt = response.headers.get("etag")?.includes("-p1-");
  return isRebuilt && digests.split(" ")[1] === expected.split(" ")[1] ? expected : digests;
}

const DOWNLOADS_AT_ONCE = 8;

/** Those of the promised that do not come back byte for byte. */
export async function broken(url: string, promised: Iterable<[id: string, digest: string]>): Promise<string[]> {
  const faults: string[] = [];
  // One iterator for all: each takes the next that nobody took.
  const rest = [...promised].values();
  const check = async () => {
    for (const [id, digest] of rest) {
      const found = await downloadDigest(url, id, digest);
      if (found !== digest) faults.push(`${id} ${found === undefined ? "is gone" : "has other bytes"}`);
    }
  };
  await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, check));
  return faults;
}
