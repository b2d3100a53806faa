// `import s3` from a real S3 server, with what pgolib, profefe and autopgo store there, put by Amazon's own client. Needs Go.

import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit-code.ts";
import { goCpu, goHeap } from "../support/compat-server.ts";
import { type ImportForTest, importForTest } from "../support/import-process.ts";
import { runS3, S3_KEY, type StoreForTest } from "../support/run-store.ts";

const MS = 1_700_000_000_000;
/** Of a profefe of 2009-11-10 23:00, the last four characters counting. */
const xid = (nth: number) => `9bsv0s3ipt32jfck${nth.toString(32).padStart(4, "0")}`;

let s3: StoreForTest;
let imports: ImportForTest;
let client: S3Client;
let endpoint: string;
beforeAll(async () => {
  [s3, imports] = await Promise.all([runS3(), importForTest()]);
  endpoint = `http://127.0.0.1:${s3.port}`;
  client = new S3Client({ endpoint, forcePathStyle: true, region: "us-east-1", credentials: S3_KEY });
  for (const Bucket of ["profiles", "shared", "many", "empty"]) await client.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  client.destroy();
  await imports[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
});

const env = () => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: S3_KEY.accessKeyId,
  AWS_SECRET_ACCESS_KEY: S3_KEY.secretAccessKey,
});
const put = (Bucket: string, Key: string, Body: Uint8Array, Metadata?: Record<string, string>) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body, ...(Metadata && { Metadata }) }));

test("profefe's objects are of their keys' service, type, labels and time, and a second run imports nothing", async () => {
  await put("profiles", `P0.auth/1/${xid(1)},version=1.0.0,url=http:/a=b`, goCpu(1));
  await put("profiles", `P0.auth/2/${xid(2)},version=1.0.0`, goHeap());
  await put("profiles", `P0.auth/128/${xid(3)}`, Buffer.from("a trace"));
  // Which of the two the key cannot tell, and the metadata does.
  await put("profiles", `P0.team__a/1/${xid(4)}`, goCpu(1), { service: "team/a" });
  await put("profiles", `P0.team__b/1/${xid(5)}`, goCpu(1), { service: "team__b" });
  await put("profiles", "other/file.txt", Buffer.from("else"));
  const first = await imports.run(["s3", "s3://profiles"], env());
  expect(first, first.stderr).toMatchObject({
    code: 0,
    report: { counts: { total: 5, imported: 5, strange: 1 }, store: `s3://profiles at ${endpoint}` },
  });
  expect((await imports.stored("auth")).sort()).toEqual([
    "cpu{url=http:/a=b,version=1.0.0} 2009-11-10T23:00:00Z",
    "heap{version=1.0.0} 2009-11-10T23:00:00Z",
    "trace{} 2009-11-10T23:00:00Z",
  ]);
  expect(await imports.stored("team/a")).toHaveLength(1);
  expect(await imports.stored("team__b")).toHaveLength(1);
  const second = await imports.run(["s3", "s3://profiles"], env());
  expect(second).toMatchObject({ code: 0, report: { counts: { total: 5, imported: 0, thereBefore: 5 } } });
});

describe("a bucket that several share", () => {
  beforeAll(async () => {
    await put("shared", `team/profile/profile/-${MS}.pprof`, goCpu(1));
    await put("shared", `team/profile/profile/-${MS + 1}.pprof`, goCpu(2));
    await put("shared", "autopgo/app/default.pgo", goCpu(7));
    await put("shared", "autopgo/app/staging/1700000000000000000", goCpu(1));
    await put("shared", "autopgo/app/staging/4000000000000000000", goCpu(1));
    await put("shared", `P0.auth2/1/${xid(1)}`, goCpu(1));
    await put("shared", `P0.cart2/1/${xid(2)}`, goCpu(1));
  });

  test("pgolib's objects below a prefix have the time of their keys, not that of the upload", async () => {
    const { code, report } = await imports.run(["s3", "s3://shared/team/"], env());
    expect([code, report!.counts]).toMatchObject([0, { total: 2, imported: 2 }]);
    const times = ["cpu{} 2023-11-14T22:13:20Z", "cpu{} 2023-11-14T22:13:20.001Z"];
    expect(await imports.stored("profile")).toEqual(times);
    expect((await imports.run(["s3", "s3://shared/team", "--dry-run"], env())).report!.counts).toMatchObject({
      planned: 2,
    });
  });

  test("autopgo's base is imported, and of its staging what is newer", async () => {
    const { code, report } = await imports.run(["s3", "s3://shared/autopgo/"], env());
    expect([code, report!.counts]).toMatchObject([0, { total: 2, imported: 2, inSums: 1 }]);
  });

  test("a prefix may be a part of the layout's names", async () => {
    const { report } = await imports.run(["s3", "s3://shared/P0.auth2/"], env());
    expect(report!.imports).toMatchObject([{ layout: "profefe", service: "auth2", imported: 1 }]);
  });
});

test("more objects than a page has; an import that is killed goes on where it was, and each profile is there once", async () => {
  const keys = Array.from({ length: 1300 }, (_, nth) => `P0.many/1/${xid(nth)}`);
  for (let at = 0; at < keys.length; at += 50) {
    await Promise.all(keys.slice(at, at + 50).map((key, nth) => put("many", key, goCpu(1 + at + nth))));
  }
  const args = ["s3", "s3://many"];
  expect(await imports.runKilled(args, 20, env())).toMatchObject({ code: null, report: undefined });
  const { code, report } = await imports.run(args, env());
  expect([code, report!.counts]).toMatchObject([0, { total: 1300, resumed: 640, imported: 660, thereBefore: 0 }]);
  const again = await imports.run(args, env());
  expect(again.report!.counts).toMatchObject({ total: 1300, resumed: 0, imported: 0, thereBefore: 1300 });
});

describe("is told in a line", () => {
  const none = {
    AWS_ACCESS_KEY_ID: "",
    AWS_SECRET_ACCESS_KEY: "",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_REGION: "us-east-1",
  };
  test.each<[string, string, Record<string, string>, number, RegExp]>([
    ["a bucket that is not there", "s3://absent", {}, EXIT.notFound, /Cannot read s3:\/\/absent at http.*NoSuchBucket/],
    ["an empty bucket", "s3://empty", {}, EXIT.notFound, /Nothing is stored there/],
    [
      "a wrong secret",
      "s3://profiles",
      { AWS_SECRET_ACCESS_KEY: "wrong" },
      EXIT.forbidden,
      /SignatureDoesNotMatch.*s3:ListBucket and s3:GetObject/,
    ],
    ["no key at all", "s3://profiles", none, EXIT.forbidden, /AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/],
    ["no bucket", "profiles", {}, EXIT.invalid, /write s3:\/\/BUCKET or s3:\/\/BUCKET\/PREFIX/],
    [
      "a server that is not there",
      "s3://profiles",
      { AWS_ENDPOINT_URL: "http://127.0.0.1:9" },
      EXIT.unavailable,
      /ECONNREFUSED/,
    ],
  ])("%s", async (_, url, changed, code, said) => {
    const result = await imports.run(["s3", url], { ...env(), ...changed });
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(said) });
    expect(result.stderr).not.toContain(S3_KEY.secretAccessKey);
  });
});
