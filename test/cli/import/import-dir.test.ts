// `import dir` as a process, from a folder into a server: what each layout's names say, what a second run does, and one that was cut off.

import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "../../../src/cli/exit-code.ts";
import { goCpu, goHeap } from "../../support/compat-server.ts";
import { type CliResult, runCli } from "../../support/run-cli.ts";
import { runProxy } from "../../support/run-proxy.ts";
import { runServer, type ServerForTest } from "../../support/run-server.ts";
import { listProfiles } from "../push/list-profiles.ts";

const MS = 1_700_000_000_000;

let server: ServerForTest;
let folder: string;
beforeAll(async () => {
  server = await runServer();
  folder = mkdtempSync(join(tmpdir(), "profusion-import-"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function store(name: string, files: Record<string, Uint8Array | string>): string {
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name, path)), { recursive: true });
    writeFileSync(join(folder, name, path), bytes);
  }
  return join(folder, name);
}

function importDir(
  path: string,
  options: readonly string[] = [],
  url = server.url,
  started?: (c: ChildProcess) => void,
) {
  const env = { PROFUSION_SERVER: url, XDG_STATE_HOME: join(folder, "state") };
  return runCli(["import", "dir", path, ...options], { env, ...(started && { started }) });
}

const reportOf = ({ stdout }: CliResult) => JSON.parse(stdout.toString());

/** What the server has of a service: `type{labels} time`, oldest first. */
async function stored(service: string): Promise<string[]> {
  const profiles = await listProfiles(server.url, `{service="${service}"}`);
  return profiles
    .map(({ profileType, labels, startTime }) => {
      const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      return `${profileType}{${pairs}} ${startTime}`;
    })
    .reverse();
}

describe("pgolib's folder", () => {
  test("is of the times in its names, to the millisecond, whatever the profiles or the files say; a second run imports nothing", async () => {
    const path = store("lib", {
      [`lib-shop-${MS}.pprof`]: goCpu(1),
      [`lib-shop-${MS + 1}.pprof`]: goCpu(2),
      [`lib-cart-${MS + 86_400_000}.pprof`]: goCpu(3),
    });
    utimesSync(join(path, `lib-shop-${MS}.pprof`), 1, 1);
    const first = await importDir(path);
    expect(first, first.stderr).toMatchObject({ code: 0, stderr: "3 of 3 imported, 0 there before\n" });
    expect(first.stdout.toString()).toMatch(/^pgolib +lib-shop +cpu +2 +0 +2023-11-14T/m);
    expect(await stored("lib-shop")).toEqual(["cpu{} 2023-11-14T22:13:20Z", "cpu{} 2023-11-14T22:13:20.001Z"]);
    expect(await stored("lib-cart")).toEqual(["cpu{} 2023-11-15T22:13:20Z"]);
    const second = await importDir(path, ["--json"]);
    expect(reportOf(second).counts).toMatchObject({ total: 3, imported: 0, thereBefore: 3, refused: 0 });
    expect(second.code).toBe(0);
    expect(await stored("lib-shop")).toHaveLength(2);
  });

  test("is of the service, type and labels that options say", async () => {
    const path = store("said", { [`app-${MS}.pprof`]: goCpu(1) });
    const result = await importDir(path, ["--service", "said/other", "--type", "wall", "--label", "from=pgolib", "-q"]);
    expect(result).toMatchObject({ code: 0, stdout: Buffer.alloc(0) });
    expect(await stored("said/other")).toEqual(["wall{from=pgolib} 2023-11-14T22:13:20Z"]);
  });
});

test("each name is read by the layout that it has, of a bucket that was copied into a folder too", async () => {
  const path = store("mixed", {
    "P0.mixed-a__b/1/9bsv0s3ipt32jfck6kt0,k1=v1,url=http:/x": goCpu(1),
    "P0.mixed-a__b/2/9bsv0s3ipt32jfck6kt1": goHeap(),
    "P0.mixed-trace/128/9bsv0s3ipt32jfck6kt0": "anything",
    "mixed-app/staging/1700000000123456789": goCpu(3),
    [`mixed-lib-${MS}.pprof`]: goCpu(4),
    [`${MS}_1.pgo`]: goCpu(5),
  });
  const result = await importDir(path, ["--json"]);
  expect(result.code, result.stderr).toBe(0);
  const rows = reportOf(result).imports.map(
    (row: Record<string, unknown>) => `${row.layout} ${row.service} ${row.profileType} ${row.imported}`,
  );
  expect(rows.sort()).toEqual([
    "autopgo mixed-app cpu 1",
    "pgo-fleet pgo-fleet cpu 1",
    "pgolib mixed-lib cpu 1",
    "profefe mixed-a/b cpu 1",
    "profefe mixed-a/b heap 1",
    "profefe mixed-trace trace 1",
  ]);
  expect((await stored("mixed-a/b")).sort()).toEqual([
    "cpu{k1=v1,url=http:/x} 2009-11-10T23:00:00Z",
    "heap{} 2009-11-10T23:00:00Z",
  ]);
  expect(await stored("mixed-app")).toEqual(["cpu{via=autopgo} 2023-11-14T22:13:20.123456789Z"]);
});

test("a profile that profefe has named after its own time, cut to a second, is the one that its agent sent here too", async () => {
  const timeNs = 1_257_894_000_123_456_789n;
  const body = goCpu(1, 60, { timeNs });
  const sent = await fetch(`${server.url}/api/0/profiles?service=both&type=cpu&labels=a=b`, {
    method: "POST",
    body: new Uint8Array(body),
  });
  expect(sent.status).toBe(200);
  const path = store("both", {
    "P0.both/1/9bsv0s3ipt32jfck6kt0,a=b": body,
    "P0.both/1/9bsv0s3ipt32jfck6kt1,a=b": goCpu(1, 60, { timeNs: timeNs + 1_000_000_000n }),
  });
  const result = await importDir(path, ["--json"]);
  expect(reportOf(result).counts).toMatchObject({ imported: 1, thereBefore: 1 });
  expect(await stored("both")).toEqual(["cpu{a=b} 2009-11-10T23:00:00Z", "cpu{a=b} 2009-11-10T23:00:00.123456789Z"]);
});

describe("a sum and what is in it are never imported both", () => {
  test("pgo-fleet: the newest sum, and what came after it", async () => {
    const path = store("combined", {
      [`${MS + 1}_1.pgo`]: goCpu(1),
      [`merged_${MS + 2}_2.pgo`]: goCpu(1),
      [`${MS + 3}_3.pgo`]: goCpu(2),
      [`merged_${MS + 4}_4.pgo`]: goCpu(3, 90),
      [`${MS + 5}_5.pgo`]: goCpu(4),
    });
    const result = await importDir(path, ["--service", "combined", "--json"]);
    expect(result.code).toBe(0);
    const sum = `merged_${MS + 4}_4.pgo`;
    const names = [`${MS + 1}_1.pgo`, `${MS + 3}_3.pgo`, `merged_${MS + 2}_2.pgo`];
    expect(reportOf(result).inSums).toEqual(names.map((name) => ({ name, sum })));
    // The sum has the time that it says itself.
    expect(await stored("combined")).toEqual(["cpu{} 2023-11-14T22:13:20.005Z", "cpu{} 2026-09-21T12:43:20Z"]);
    expect(result.stderr).toContain(`left out, as ${sum}, the newest sum, may have them in it: ${names.join(", ")}\n`);
  });

  test("autopgo: an app's base, and what was uploaded since it was written; without a base all", async () => {
    const path = store("bucket", {
      "based/default.pgo": goCpu(7, 80),
      "based/staging/1700000000000000000": goCpu(1),
      "based/staging/1700000100000000000": goCpu(2),
      "baseless/staging/1700000000000000000": goCpu(3),
    });
    utimesSync(join(path, "based/default.pgo"), 1_700_000_050, 1_700_000_050);
    const result = await importDir(path, ["--json"]);
    expect(reportOf(result).inSums.map(({ name }: { name: string }) => name)).toEqual([
      "based/staging/1700000000000000000",
    ]);
    const times = ["cpu{via=autopgo} 2023-11-14T22:15:00Z", "cpu{via=autopgo} 2026-09-21T12:53:20Z"];
    expect(await stored("based")).toEqual(times);
    expect(await stored("baseless")).toHaveLength(1);
    const listed = await fetch(`${server.url}/api/profile`);
    const { profiles } = (await listed.json()) as { profiles: { key: string }[] };
    expect(profiles.map(({ key }) => key)).toEqual(expect.arrayContaining(["based", "baseless"]));
  });
});

describe("what cannot be imported", () => {
  test("harms nothing else, and is told", async () => {
    const path = store("bad", {
      [`bad-app-${MS}.pprof`]: goCpu(1),
      [`bad-app-${MS + 1}.pprof`]: "no profile",
      [`bad-app-${MS + 2}.pprof`]: goCpu(0),
      [`-${MS}.pprof`]: goCpu(1),
      "README.md": "read me",
    });
    const result = await importDir(path);
    expect(result.code).toBe(EXIT.partial);
    expect(result.stderr.split("\n").filter(Boolean)).toEqual([
      `1 profile without samples left out: bad-app-${MS + 2}.pprof`,
      "1 object left out whose names no layout has: README.md",
      expect.stringMatching(new RegExp(`^profusion: -${MS}.pprof: Cannot take it without a service: .*--service$`)),
      expect.stringMatching(new RegExp(`^profusion: bad-app-${MS + 1}.pprof: This is no profile`)),
      "1 of 4 imported, 0 there before, 2 refused",
    ]);
    expect(await stored("bad-app")).toHaveLength(1);
  });

  test.each([
    ["a folder that is not there", () => join(folder, "absent"), [], EXIT.notFound, /Cannot read .*absent/],
    [
      "a file",
      () => join(store("file", { f: "" }), "f"),
      [],
      EXIT.invalid,
      /it is no folder; profusion push takes files/,
    ],
    ["an empty folder", () => mkdtempSync(join(folder, "empty-")), [], EXIT.notFound, /Nothing is stored there/],
    [
      "names of nobody",
      () => store("strange", { a: "" }),
      [],
      EXIT.notFound,
      /Nothing stored there has a name that a layout/,
    ],
    ["names of others", () => store("lib", {}), ["--layout", "autopgo"], EXIT.notFound, /has a name that a layout has/],
    ["a layout of nobody", () => folder, ["--layout", "tar"], EXIT.invalid, /Allowed choices are pgolib, profefe/],
    ["a service that none can be", () => folder, ["--service", ""], EXIT.invalid, /service/],
  ])("%s is told in a line", async (_, path, options, code, said) => {
    const result = await importDir(path(), options);
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(said) });
  });
});

test("a dry run sends nothing and reads nothing of what is stored", async () => {
  const path = store("dry", { [`dry-app-${MS}.pprof`]: "not looked at", "P0.dry/1/9bsv0s3ipt32jfck6kt0": "" });
  const result = await importDir(path, ["--dry-run"], "http://127.0.0.1:9");
  expect(result).toMatchObject({ code: 0, stderr: "2 of 2 would be sent\n" });
  expect(result.stdout.toString()).toMatch(/^pgolib +dry-app +by its columns +1 /m);
  expect(result.stdout.toString()).toMatch(/^profefe +dry +cpu +1 /m);
});

test("an import that is killed goes on where it was, and each profile is there once", async () => {
  const files: Record<string, Uint8Array> = {};
  for (let nth = 0; nth < 200; nth++) files[`killed-${MS + nth}.pprof`] = goCpu(1 + nth);
  const path = store("killed", files);
  let child: ChildProcess | undefined;
  await using proxy = await runProxy(
    () => server.url,
    (nth) => {
      if (nth !== 3) return "pass";
      child!.kill("SIGKILL");
      return "drop";
    },
  );
  const killed = await importDir(path, ["--parallel", "1"], proxy.url, (each) => {
    child = each;
  });
  expect(killed.code).toBe(null);
  const journals = () => readdirSync(join(folder, "state/profusion/import"));
  expect(journals()).toHaveLength(1);
  const second = await importDir(path, ["--json"], proxy.url);
  expect(reportOf(second).counts).toMatchObject({ total: 200, imported: 104, resumed: 96, thereBefore: 0 });
  expect(journals()).toEqual([]);
  const times = (await stored("killed")).map((line) => Date.parse(line.split(" ")[1]!));
  expect(times).toEqual(Array.from({ length: 200 }, (_, nth) => MS + nth));
});

test("a server that is not there ends it at once", async () => {
  const result = await importDir(join(folder, "lib"), [], "http://127.0.0.1:9");
  expect(result).toMatchObject({ code: EXIT.unavailable, stderr: expect.stringContaining("Cannot reach") });
});
