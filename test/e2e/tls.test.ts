// TLS as outside programs speak it, on a port that answers cleartext too: curl, grpc-go, go tool pprof. Needs curl and Go.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildGo } from "../support/oracle.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";
import { TLS_FILES } from "../support/test-certificate.ts";

const run = promisify(execFile);
const FILES = [1, 2, 3].map((round) =>
  fileURLToPath(new URL(`../testdata/recorded/go-cpu-${round}.pb.gz`, import.meta.url)),
);
const MERGE = "/api/0/profiles/merge?service=tls&type=cpu&last=9999d";

let server: ServerForTest;
let folder: string;
beforeAll(async () => {
  server = await runServer({}, TLS_FILES);
  folder = mkdtempSync(join(tmpdir(), "profusion-tls-"));
  for (const [at, file] of FILES.entries()) {
    const url = `https://${server.address}/api/0/profiles?service=tls&type=cpu&labels=round=${at}`;
    await curl("-f", "--cacert", TLS_FILES.certificate, "--data-binary", `@${file}`, url);
  }
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function curl(...args: string[]): Promise<string> {
  const { stdout } = await run("curl", ["-sS", ...args]);
  return stdout;
}

async function pprof(env: Record<string, string>, ...args: string[]): Promise<string> {
  const { stdout } = await run("go", ["tool", "pprof", "-top", ...args], {
    env: { ...process.env, PPROF_TMPDIR: folder, ...env },
  });
  return stdout;
}

test.each([
  ["HTTP/2, which it asks for by ALPN", [], "2"],
  ["HTTP/1.1", ["--http1.1"], "1.1"],
  ["HTTP/1.1 without ALPN", ["--no-alpn"], "1.1"],
  ["TLS 1.2", ["--tlsv1.2", "--tls-max", "1.2"], "2"],
])("curl gets answers over %s", async (_, options, version) => {
  const written = ["-w", "%{http_version} %{ssl_verify_result}", "--cacert", TLS_FILES.certificate];
  expect(await curl(...written, ...options, `https://${server.address}/readyz`)).toBe(`ready\n${version} 0`);
});

test("curl gets answers in cleartext on the same port, over HTTP/1.1 and HTTP/2", async () => {
  const version = ["-w", "%{http_version}", `${server.url}/readyz`];
  expect(await curl(...version)).toBe("ready\n1.1");
  expect(await curl("--http2-prior-knowledge", ...version)).toBe("ready\n2");
});

test("curl, which was not told of the authority, refuses the certificate, and the next is served", async () => {
  await expect(curl(`https://${server.address}/readyz`)).rejects.toThrow("certificate");
  expect(await curl("--cacert", TLS_FILES.certificate, `https://${server.address}/readyz`)).toBe("ready\n");
});

test("go tool pprof reads the merge URL, unverified or with the authority that Go is told of, as in cleartext", async () => {
  const expected = await pprof({}, `${server.url}${MERGE}`);
  expect(expected).toContain("flat%");
  expect(await pprof({}, `https+insecure://${server.address}${MERGE}`)).toBe(expected);
  expect(await pprof({ SSL_CERT_FILE: TLS_FILES.certificate }, `https://${server.address}${MERGE}`)).toBe(expected);
  await expect(pprof({}, `https://${server.address}${MERGE}`)).rejects.toThrow("failed to verify certificate");
});

test("grpc-go calls every method over TLS", async () => {
  const client = buildGo("grpcclient");
  const { stdout } = await run(client, ["-tls-ca", TLS_FILES.certificate, server.address, "go-tls", ...FILES]);
  expect(JSON.parse(stdout)).toMatchObject({
    batchCodes: [0, 3],
    downloadIsSent: true,
    merged: 3,
    streamIsMerge: true,
    unknownCode: "not_found",
    left: 0,
    health: "SERVING",
    watched: "SERVING",
  });
});
