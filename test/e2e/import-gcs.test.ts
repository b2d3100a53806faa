// `import gcs` from a Cloud Storage server that runs here, with what profefe stores there; and what it
// shows a server that asks for a token. Needs Go.

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit-code.ts";
import { goCpu, goHeap } from "../support/compat-server.ts";
import { type ImportForTest, importForTest } from "../support/import-process.ts";
import { runGcs, type StoreForTest } from "../support/run-store.ts";

const xid = (nth: number) => `9bsv0s3ipt32jfck${nth.toString(32).padStart(4, "0")}`;

let gcs: StoreForTest;
let imports: ImportForTest;
let url: string;
beforeAll(async () => {
  [gcs, imports] = await Promise.all([runGcs(), importForTest()]);
  url = `http://127.0.0.1:${gcs.port}`;
  for (const name of ["profiles", "many", "empty"]) {
    const made = await fetch(`${url}/storage/v1/b`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name }),
    });
    expect(made.status).toBe(200);
  }
});
afterAll(async () => {
  await imports[Symbol.asyncDispose]();
  await gcs[Symbol.asyncDispose]();
});

const env = () => ({ STORAGE_EMULATOR_HOST: url });

async function put(bucket: string, name: string, bytes: Uint8Array): Promise<void> {
  const target = `${url}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(name)}`;
  const { status } = await fetch(target, { method: "POST", body: new Uint8Array(bytes) });
  expect(status).toBe(200);
}

test("profefe's objects are of their keys' service, type, labels and time, and a second run imports nothing", async () => {
  await put("profiles", `P0.auth/1/${xid(1)},version=1.0+beta,url=http://a/b?c=d`, goCpu(1));
  await put("profiles", `P0.auth/2/${xid(2)}`, goHeap());
  await put("profiles", `P0.team__a/1/${xid(3)}`, goCpu(1));
  await put("profiles", "README.md", Buffer.from("else"));
  const first = await imports.run(["gcs", "gs://profiles"], env());
  expect(first, first.stderr).toMatchObject({ code: 0, report: { counts: { total: 3, imported: 3, strange: 1 } } });
  expect((await imports.stored("auth")).sort()).toEqual([
    "cpu{url=http://a/b?c=d,version=1.0+beta} 2009-11-10T23:00:00Z",
    "heap{} 2009-11-10T23:00:00Z",
  ]);
  expect(await imports.stored("team/a")).toHaveLength(1);
  const second = await imports.run(["gcs", "gs://profiles"], env());
  expect(second).toMatchObject({ code: 0, report: { counts: { total: 3, imported: 0, thereBefore: 3 } } });
  const part = await imports.run(["gcs", "gs://profiles/P0.team", "--no-resume"], env());
  expect(part.report!.counts).toMatchObject({ total: 1, imported: 0, thereBefore: 1 });
});

test("more objects than a page has; an import that is killed goes on where it was, and each profile is there once", async () => {
  for (let nth = 0; nth < 1100; nth++) await put("many", `P0.many/1/${xid(nth)}`, goCpu(1 + nth));
  const args = ["gcs", "gs://many"];
  expect(await imports.runKilled(args, 10, env())).toMatchObject({ code: null, report: undefined });
  const { code, report } = await imports.run(args, env());
  expect([code, report!.counts]).toMatchObject([0, { total: 1100, resumed: 320, imported: 780, thereBefore: 0 }]);
  expect((await imports.run(args, env())).report!.counts).toMatchObject({ imported: 0, thereBefore: 1100 });
});

describe("a server that asks who it is", () => {
  /** Gives a token for a proof, and an empty list to whoever brings one. */
  async function runGoogle() {
    const asked: { authorization: string | undefined; grant: string | null }[] = [];
    const google = createServer(async (request, response) => {
      const grant = new URLSearchParams(await text(request)).get("grant_type");
      const { authorization } = request.headers;
      asked.push({ authorization, grant });
      const body = request.url === "/token" ? { access_token: "granted", expires_in: 3600, token_type: "Bearer" } : {};
      const isLetIn = request.url === "/token" || ["Bearer given", "Bearer granted"].includes(authorization ?? "");
      response.writeHead(isLetIn ? 200 : 401, { "content-type": "application/json" }).end(JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(google, "listening");
    const place = `http://127.0.0.1:${(google.address() as AddressInfo).port}`;
    return { asked, place, [Symbol.dispose]: () => google.close() };
  }

  test("is shown a token of the environment, or one that credentials of a file were exchanged for", async () => {
    using google = await runGoogle();
    const folder = mkdtempSync(join(tmpdir(), "profusion-google-"));
    writeFileSync(join(folder, "proof"), "a-proof");
    // Of a workload elsewhere, which names the place where its proof is exchanged; for other kinds that is always Google's.
    const account = {
      type: "external_account",
      audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/ci",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${google.place}/token`,
      credential_source: { file: join(folder, "proof") },
    };
    writeFileSync(join(folder, "account.json"), JSON.stringify(account));
    const args = ["gcs", "gs://profiles", "--endpoint", google.place];
    const given = await imports.run(args, { GOOGLE_OAUTH_ACCESS_TOKEN: "given" });
    expect(given).toMatchObject({ code: EXIT.notFound, stderr: expect.stringContaining("Nothing is stored there") });
    const signed = await imports.run(args, { GOOGLE_APPLICATION_CREDENTIALS: join(folder, "account.json") });
    expect(signed, signed.stderr).toMatchObject({
      code: EXIT.notFound,
      stderr: expect.stringContaining("Nothing is stored there"),
    });
    const wrong = await imports.run(args, { GOOGLE_OAUTH_ACCESS_TOKEN: "wrong" });
    expect(wrong).toMatchObject({ code: EXIT.forbidden, stderr: expect.stringContaining("GOOGLE_OAUTH_ACCESS_TOKEN") });
    expect(wrong.stderr).not.toContain("wrong");
    rmSync(folder, { recursive: true });
    const shown = google.asked.map(({ authorization, grant }) => authorization ?? grant);
    const [exchange] = shown.filter((each) => each?.startsWith("urn:"));
    expect(exchange).toBe("urn:ietf:params:oauth:grant-type:token-exchange");
    expect([...new Set(shown)]).toEqual(["Bearer given", exchange, "Bearer granted", "Bearer wrong"]);
  });
});

describe("is told in a line", () => {
  test.each<[string, string, Record<string, string>, number, RegExp]>([
    ["a bucket that is not there", "gs://absent", {}, EXIT.notFound, /Cannot read gs:\/\/absent/],
    ["an empty bucket", "gs://empty", {}, EXIT.notFound, /Nothing is stored there/],
    ["no bucket", "s3://empty", {}, EXIT.invalid, /write gs:\/\/BUCKET or gs:\/\/BUCKET\/PREFIX/],
    ["no server", "gs://profiles", { STORAGE_EMULATOR_HOST: "127.0.0.1:9" }, EXIT.unavailable, /ECONNREFUSED/],
    [
      "credentials that are not there",
      "gs://profiles",
      { STORAGE_EMULATOR_HOST: "", GOOGLE_APPLICATION_CREDENTIALS: "/absent.json" },
      EXIT.forbidden,
      /GOOGLE_APPLICATION_CREDENTIALS/,
    ],
  ])("%s", async (_, bucket, changed, code, said) => {
    const result = await imports.run(["gcs", bucket], { ...env(), ...changed });
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(said) });
  });
});
