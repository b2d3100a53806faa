// `list`, `get`, `delete`, `services`, `types`, `labels`, `open` as processes against a server: as text, as JSON, as names alone.

import { readFileSync, watch } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../support/run-cli.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const recorded = (name: string) => fileURLToPath(new URL(`../testdata/recorded/${name}`, import.meta.url));

let server: ServerForTest;
let folder: string;
/** Oldest first. */
const ids: string[] = [];
beforeAll(async () => {
  server = await runServer();
  folder = await mkdtemp(join(tmpdir(), "profusion-read-"));
  for (const round of [1, 2, 3]) {
    const { stdout } = await cli(
      "push",
      "--service",
      "auth",
      "--label",
      `version=1.${round}`,
      recorded(`go-cpu-${round}.pb.gz`),
    );
    ids.push(stdout.toString().trim());
  }
  await cli("push", "--service", "größe", recorded("go-heap-1.pb.gz"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const cli = (...args: string[]) => runCli(args, { env: { PROFUSION_SERVER: server.url, TZ: "Europe/Berlin" } });
const text = async (...args: string[]) => {
  const { code, stdout, stderr } = await cli(...args);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.toString();
};
const json = async (...args: string[]) => JSON.parse(await text(...args, "--json"));

describe("profusion list", () => {
  test("is a table, newest first, whose heading names the zone", async () => {
    const lines = (await text("list", 'cpu{service="auth"}')).trimEnd().split("\n");
    expect(lines[0]).toMatch(/^ID {24} {2}SERVICE {2}TYPE {2}START \(Europe\/Berlin\) {2}SAMPLES +SIZE {2}LABELS$/);
    const rows = lines.slice(1);
    expect(rows.map((row) => row.slice(0, 26))).toEqual(ids.toReversed());
    expect(rows[0]).toMatch(/ {2}auth {5}cpu {3}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {3} +\d+ {2}5\.6 KiB {2}version=1\.3$/);
  });

  test("is ids alone with --quiet, in either order, up to a limit that it tells of", async () => {
    expect(await text("list", "--service", "auth", "--oldest", "-q")).toBe(`${ids.join("\n")}\n`);
    const limited = await cli("list", "--service", "auth", "--limit", "2");
    expect(limited.stdout.toString().trimEnd().split("\n").length).toBe(3);
    expect(limited.stderr).toBe("there are more than 2: --limit or --all shows them\n");
  });

  test("is one JSON document whose 64-bit numbers are numbers", async () => {
    const { profiles, more } = await json("list", "--service", "auth", "--limit", "2");
    expect(more).toBe(true);
    expect(profiles.map(({ id }: { id: string }) => id)).toEqual([ids[2], ids[1]]);
    expect(profiles[0]).toMatchObject({
      service: "auth",
      labels: [{ name: "version", value: "1.3" }],
      sizeBytes: 5716,
    });
    expect(profiles[0].sampleTypes[1].total).toBeGreaterThan(1e8);
    expect(await json("list", '{service="nobody"}')).toEqual({ profiles: [], more: false });
  });

  test("says where to look when the window misses", async () => {
    const { code, stdout, stderr } = await cli("list", "cpu", "--last", "1s");
    expect([code, stdout.toString()]).toEqual([0, ""]);
    expect(stderr).toMatch(
      /^no profile matches; asked for .* \(zone Europe\/Berlin\), the newest that matches began at 20/,
    );
  });

  test("takes windows as people say them", async () => {
    const [day] = (await json("list", "--limit", "1")).profiles[0].startTime.split("T");
    expect((await text("list", "--service", "auth", "--from", day, "--to", day, "-q")).trim().split("\n").length).toBe(
      3,
    );
    expect(await text("list", "--service", "auth", "--to", "2020-01-01 14:00", "-q", "--all")).toBe("");
  });
});

describe("profusion get", () => {
  test("tells what is known, as text and as JSON", async () => {
    expect(await text("get", ids[0]!)).toMatch(
      /^id: {10}\w{26}\nservice: {5}auth\ntype: .*\(zone Europe\/Berlin\)\n.*cpu: \d[.\d]+ s \(\d+ nanoseconds\)/s,
    );
    const { profiles } = await json("get", ids[0]!, ids[1]!);
    expect(profiles).toMatchObject([{ id: ids[0] }, { id: ids[1] }]);
  });

  test("fetches the bytes as they were sent, into a file or stdout", async () => {
    const sent = readFileSync(recorded("go-cpu-1.pb.gz"));
    const file = join(folder, "one.pb.gz");
    expect(await json("get", ids[0]!, "-o", file)).toMatchObject({ profiles: [{ id: ids[0] }] });
    expect(readFileSync(file).equals(sent)).toBe(true);
    expect((await cli("get", ids[0]!, "-o", "-")).stdout.equals(sent)).toBe(true);
  });

  const ABSENT = "01m7xzyqq65cpe923pkz4h9dr5";
  test("names the ids that there are not, and exits with 8, or with 3 where there is none", async () => {
    const some = await cli("get", ids[0]!, ABSENT, ids[1]!, "-q");
    expect([some.code, some.stdout.toString()]).toEqual([8, `${ids[0]}\n${ids[1]}\n`]);
    expect(some.stderr).toContain(ABSENT);
    expect(await cli("get", ABSENT)).toMatchObject({ code: 3, stderr: expect.stringContaining(ABSENT) });
    expect((await cli("get", ids[0]!, ids[1]!, "-o", join(folder, "two"))).code).toBe(2);
  });
});

describe("services, types and labels", () => {
  test("list names with the number of profiles that have them", async () => {
    expect(await text("services")).toBe("NAME   PROFILES\nauth          3\ngröße         1\n");
    expect(await json("types")).toEqual({
      profileTypes: [
        { name: "cpu", profileCount: 3 },
        { name: "heap", profileCount: 1 },
      ],
      more: false,
    });
    expect(await text("types", "--of", '{service="auth"}', "-q")).toBe("cpu\n");
    expect(await text("services", "--prefix", "gr", "--last", "10000d", "-q")).toBe("größe\n");
    expect(await text("labels", "-q")).toBe("version\n");
    expect(await text("labels", "version", "-q")).toBe("1.1\n1.2\n1.3\n");
    expect((await cli("labels", "absent")).stderr).toBe("there are none\n");
  });
});

test("status and pack answer as JSON, and with --quiet by their exit code alone", async () => {
  const { packs, ...status } = await json("status");
  expect(status).toMatchObject({ version: "test", serviceCount: 2 });
  expect(await json("pack", "status")).toMatchObject({
    enabled: true,
    packedProfiles: 0,
    looseProfiles: packs.looseProfiles,
  });
  expect(await json("pack", "verify")).toEqual({
    ...{ packCount: 0, profileCount: 0, damaged: [], damagedCount: 0 },
    ...{ releaseCount: 0, damagedReleases: [], damagedReleaseCount: 0 },
  });
  for (const verb of [["status"], ["pack", "status"], ["pack", "verify"]]) expect(await text(...verb, "-q")).toBe("");
});

describe("profusion open", () => {
  const AUTH = ["open", 'cpu{service="auth"}', "--last", "10000d"];
  test("prints the URL of the merge where there is no display", async () => {
    const env = { PROFUSION_SERVER: server.url, DISPLAY: "", WAYLAND_DISPLAY: "", BROWSER: "" };
    const { code, stdout, stderr } = await runCli(AUTH, { env });
    expect(code).toBe(0);
    if (process.platform === "linux") expect(stderr).toContain("no display");
    const answer = await fetch(stdout.toString().trim());
    expect([answer.status, answer.headers.get("profusion-merged")]).toEqual([200, "3"]);
  });

  test("hands the URL to the browser that $BROWSER names", async () => {
    const browser = join(folder, "browser");
    const pipe = join(folder, "opened");
    await writeFile(browser, `#!/bin/sh\necho "$1" > '${pipe}.tmp' && mv '${pipe}.tmp' '${pipe}'\n`);
    await chmod(browser, 0o755);
    const { stdout } = await runCli([...AUTH, "--json"], { env: { PROFUSION_SERVER: server.url, BROWSER: browser } });
    const { url, opened } = JSON.parse(stdout.toString());
    expect(opened).toBe(true);
    expect(await contentOf(pipe)).toBe(`${url}\n`);
  });

  test("says what to do where the browser cannot be run", async () => {
    const { code, stderr } = await runCli(AUTH, { env: { BROWSER: join(folder, "no-browser") } });
    expect([code, stderr]).toEqual([6, expect.stringContaining("name a browser in $BROWSER, or say --print")]);
  });
});

/** Whatever comes to stand in the file, as soon as it is there. */
async function contentOf(file: string): Promise<string> {
  const changes = watch(join(file, ".."));
  try {
    for (;;) {
      const changed = new Promise((resolve) => changes.once("change", resolve));
      try {
        return readFileSync(file, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
      await changed;
    }
  } finally {
    changes.close();
  }
}

describe("profusion delete", () => {
  const doomed = async (service: string) => {
    await cli("push", "--service", service, recorded("go-cpu-1.pb.gz"), recorded("go-cpu-2.pb.gz"));
    return (await text("list", "--service", service, "-q")).trim().split("\n");
  };

  test("shows what would go, and without a terminal and --yes deletes nothing", async () => {
    await doomed("asked");
    const { code, stdout, stderr } = await cli("delete", '{service="asked"}');
    expect(code).toBe(2);
    expect(stdout.toString()).toMatch(
      /^2 profiles, 11 KiB as sent, begun 20\S+ to 20\S+ \(zone Europe\/Berlin\)\n {2}2 of service asked\n$/,
    );
    expect(stderr).toContain('Cannot ask "Delete 2 profiles?" without a terminal: say --yes');
    expect(await json("delete", "--service", "asked", "--dry-run")).toEqual({
      profileCount: 2,
      sizeBytes: 11_158,
      deletedCount: 0,
    });
    expect((await json("list", "--service", "asked")).profiles.length).toBe(2);
  });

  test("deletes with --yes what matches, and nothing else", async () => {
    await doomed("gone");
    expect(await json("delete", '{service="gone"}', "--yes")).toMatchObject({ profileCount: 2, deletedCount: 2 });
    expect((await cli("list", "--service", "gone")).stderr).toBe("no profile matches\n");
    expect((await json("list", "--service", "auth")).profiles.length).toBe(3);
    expect((await cli("delete", '{service="gone"}', "--yes")).stderr).toBe("no profile matches\n");
  });

  test("deletes by ids", async () => {
    const [first, second] = await doomed("by-id");
    expect(await text("delete", first!, "--yes")).toBe(`${first}\ndeleted 1 profile\n`);
    expect(await cli("delete", first!, second!, "--yes")).toMatchObject({
      code: 8,
      stderr: expect.stringContaining(first!),
    });
    expect((await cli("delete", first!, "--yes")).code).toBe(3);
  });

  test.each([
    [[], "Cannot delete without a selection"],
    [["cpu", "heap"], "several selectors"],
    [["01m7xzyqq65cpe923pkz4h9dr5", "cpu"], "it is no id"],
    [["01m7xzyqq65cpe923pkz4h9dr5", "--last", "1h"], "ids together with"],
    [["cpu{", "--yes"], "Cannot read selector"],
  ])("%j is refused", async (args, message) => {
    expect(await cli("delete", ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});
