// pgo-fleet's embedded library, as a Go sender of ours has it, and its merge scripts against a running server. Needs Go and curl.

import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { codeBlocks } from "../support/code-blocks.ts";
import { goCpu, goHeap, swappedGoCpu } from "../support/compat-server.ts";
import { buildGo } from "../support/oracle.ts";
import { Random } from "../support/random.ts";
import { runCli, runRelay, runServe, type ServeProcess } from "../support/run-cli.ts";
import { TLS_FILES } from "../support/test-certificate.ts";

const run = promisify(execFile);
const EXAMPLE = fileURLToPath(new URL("../../examples/pgo-fleet", import.meta.url));
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));

let folder: string;
let senders: string;
let server: ServeProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "profusion-fleet-"));
  cpSync(EXAMPLE, folder, { recursive: true });
  senders = buildGo("senders");
  // By the variables that its collector reads.
  const env = {
    PGOF_SUBMIT_AUTH_KEYS_FILE: join(folder, "submit-keys"),
    PGOF_MERGE_AUTH_KEYS_FILE: join(folder, "merge-keys"),
  };
  server = await runServe(join(folder, "data"), [], env);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** What the library tells its error function, a line for each profile. */
async function submit(url: string, ...options: string[]): Promise<string[]> {
  const env = { ...process.env, SSL_CERT_FILE: TLS_FILES.certificate };
  const { stdout } = await run(senders, ["pgofleet", "-url", url, ...options], { env });
  return stdout.trim().split("\n");
}

async function merge(url: string, key: string, query = ""): Promise<{ status: number; bytes: Buffer }> {
  const answer = await fetch(`${url}/v1/merge${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
  });
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
}

function samplesOf(bytes: Uint8Array): bigint {
  return decodeProfile(gunzipSync(bytes), { encoding: "latin1" }).samples.reduce(
    (sum, { values }) => sum + values[0]!,
    0n,
  );
}

async function packedProfiles(url: string): Promise<number> {
  const { stdout } = await runCli(["status", "--json"], { env: { PROFUSION_SERVER: url } });
  return Number(JSON.parse(stdout.toString()).packs.packedProfiles);
}

function file(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

describe("the embedded library", () => {
  test("submits profiles of its process, and the example's script fetches their merge, which the compiler's tools read", async () => {
    const url = `${server.url}/v1/submit`;
    expect(await submit(url, "-key", "example-submit-key", "-times", "2")).toEqual(["ok", "ok"]);
    expect(await submit(`${url}?labels=version=7`, "-key", "another-region")).toEqual(["ok"]);
    const blocks = codeBlocks(readFileSync(join(EXAMPLE, "README.md"), "utf8")).filter(
      ({ language }) => language === "sh",
    );
    expect(blocks).toHaveLength(2);
    for (const { code } of blocks) {
      await run("bash", ["-euc", code.replaceAll("http://127.0.0.1:10100", server.url)], { cwd: folder });
    }
    const [all, eu] = ["default.pgo", "eu.pgo"].map((name) => samplesOf(readFileSync(join(folder, name))));
    expect(eu).toBeGreaterThan(0n);
    expect(all).toBeGreaterThan(eu!);
    const { stdout } = await run("go", ["tool", "pprof", "-top", join(folder, "default.pgo")], {
      env: { ...process.env, PPROF_TMPDIR: folder },
    });
    expect(stdout).toContain("senders.work");
    await run("go", ["tool", "preprofile", "-i", join(folder, "default.pgo"), "-o", join(folder, "edges")]);
    expect(readFileSync(join(folder, "edges"), "utf8")).toContain("senders.work\n");
  });

  test("is told of what it expects where it is refused, and never of a redirect", async () => {
    const url = `${server.url}/v1/submit`;
    const failure = (status: number, text: string) => [`unexpected status code ${status} (${status} ${text})`];
    const tried = (options: string[], at = url) => submit(at, "-key", "example-submit-key", ...options);
    expect(await submit(url, "-key", "example-merge-key")).toEqual(failure(403, "Forbidden"));
    expect(await tried(["-file", file("heap", goHeap())])).toEqual(failure(400, "Bad Request"));
    expect(await tried(["-file", file("garbage", Buffer.from("garbage"))])).toEqual(failure(400, "Bad Request"));
    expect(await tried(["-file", file("large", Buffer.alloc(100 * 1024 * 1024, 1))])).toEqual(
      failure(413, "Payload Too Large"),
    );
    expect(await tried(["-file", file("one", goCpu(1))], `${url}?service=bank`)).toEqual(failure(403, "Forbidden"));
    expect(await tried(["-file", file("one", goCpu(1))], `${url}/`)).toEqual(failure(404, "Not Found"));
    expect(await tried(["-file", file("swapped", swappedGoCpu(1))])).toEqual(["ok"]);
    expect((await merge(server.url, "example-merge-key")).status).toBe(200);
    expect((await merge(server.url, "example-submit-key")).status).toBe(403);
  });

  test("submits over TLS, by HTTP/2 as Go does there", async () => {
    const tls = ["--tls-cert", TLS_FILES.certificate, "--tls-key", TLS_FILES.key];
    await using secure = await runServe(join(folder, "secure"), tls);
    const url = `${secure.url.replace("http:", "https:")}/v1/submit`;
    expect(await submit(url, "-key", "", "-file", file("one", goCpu(1)))).toEqual(["ok"]);
    expect(samplesOf((await merge(secure.url, "")).bytes)).toBe(1n);
    const requests = secure.log.filter(({ msg, path }) => msg === "request" && path === "/v1/submit");
    expect(requests).toMatchObject([{ protocol: "HTTP/2.0", status: 204 }]);
  });

  test("submits to a relay as to the server", async () => {
    await using relay = await runRelay(server.url, join(folder, "spool"), ["--log-level", "debug"]);
    const before = samplesOf((await merge(server.url, "example-merge-key")).bytes);
    expect(
      await submit(`${relay.url}/v1/submit`, "-key", "example-submit-key", "-file", file("more", goCpu(77))),
    ).toEqual(["ok"]);
    while (!relay.log.some(({ msg }) => msg === "an upload was delivered")) {
      await new Promise((resolve) => relay.child.stdout!.once("data", resolve));
    }
    expect(samplesOf((await merge(server.url, "example-merge-key")).bytes)).toBe(before + 77n);
  });
});

describe(`and_combine, seed ${SEED}`, () => {
  test("counts every profile once, whenever a kill -9 ends the process that combines", async () => {
    const random = new Random(SEED);
    const data = join(folder, "combined");
    let expected = 0n;
    let sent = 0;
    for (let round = 0; round < 6; round++) {
      await using process = await runServe(data);
      const { url } = process;
      for (let nth = 0; nth < 40; nth++, sent++) {
        const body = new Uint8Array(goCpu(1 + nth, sent));
        expect((await fetch(`${url}/v1/submit`, { method: "POST", body })).status).toBe(204);
        expected += BigInt(1 + nth);
      }
      expect(samplesOf((await merge(url, "any")).bytes)).toBe(expected);
      const { status, bytes } = await merge(url, "any", "?and_combine=true");
      expect([status, samplesOf(bytes)]).toEqual([200, expected]);
      // Somewhere in the midst of it.
      for (let asked = random.between(0, 60); asked > 0; asked--) await (await fetch(`${url}/healthz`)).text();
      process.child.kill("SIGKILL");
      await process.ended;
    }
    await using process = await runServe(data);
    const { url } = process;
    const before = await merge(url, "any", "?and_combine=true");
    expect(samplesOf(before.bytes)).toBe(expected);
    const packed = await runCli(["pack", "now"], { env: { PROFUSION_SERVER: url } });
    expect(packed.code, packed.stderr).toBe(0);
    expect(await packedProfiles(url)).toBe(sent);
    expect((await merge(url, "any")).bytes).toEqual(before.bytes);
    const listed = await fetch(`${url}/api/0/profiles?service=pgo-fleet&last=9999d`);
    expect(((await listed.json()) as { body: unknown[] }).body).toHaveLength(sent);
  });
});
