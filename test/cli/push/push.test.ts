// `push` as a process against a real server: what it sends, what it prints, what it exits with. How it fares with a server that fails:
// resume.test.ts. Running programs: live-profile.test.ts.

import { type ChildProcess, execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "../../../src/cli/exit-code.ts";
import { parseProfileId } from "../../../src/model/profile-id.ts";
import { buildGzip } from "../../support/profile-builder.ts";
import { runCli } from "../../support/run-cli.ts";
import { runServer, type ServerForTest } from "../../support/run-server.ts";
import { listProfiles } from "./list-profiles.ts";

const recorded = (name: string) => fileURLToPath(new URL(`../../testdata/recorded/${name}`, import.meta.url));
const CPU = [1, 2, 3].map((round) => recorded(`go-cpu-${round}.pb.gz`));
const START_NS = BigInt(Date.UTC(2026, 2, 2)) * 1_000_000n;

let server: ServerForTest;
let folder: string;
beforeAll(async () => {
  server = await runServer();
  folder = mkdtempSync(join(tmpdir(), "profusion-push-"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const push = (args: string[], input?: Uint8Array) => {
  const env = { PROFUSION_SERVER: server.url, XDG_STATE_HOME: join(folder, "state"), TZ: "Europe/Berlin" };
  return runCli(["push", ...args], { env, ...(input && { input }) });
};
const lines = (text: Buffer | string) => text.toString().split("\n").filter(Boolean);

/** A CPU profile of its own for each number. */
function profile(number: number, timeNs = START_NS + BigInt(number) * 1_000_000_000n): Uint8Array {
  return buildGzip({ timeNs, samples: [{ stack: [`f${number}`, "main"], values: [1, number + 1] }] });
}

function write(path: string, bytes: Uint8Array | string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
}

describe("what is sent", () => {
  test("prints one id for each file, in their order, and the same ids when they are sent again", async () => {
    const first = await push(["--service", "order", "--label", "version=1", ...CPU]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const ids = lines(first.stdout);
    expect(ids.map((id) => parseProfileId(id) !== undefined)).toEqual([true, true, true]);
    const again = await push(["--service", "order", "--label", "version=1", ...CPU.toReversed()]);
    expect(lines(again.stdout)).toEqual(ids.toReversed());
    expect(again.stderr).toContain("3 of 3 were there already");
  });

  test("reads stdin as -", async () => {
    const result = await push(["--service", "stdin", "-"], new Uint8Array(readFileSync(CPU[2]!)));
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(lines(result.stdout).length).toBe(1);
  });

  test("reads a pipe that has a name, as shells make them", async () => {
    const env = { ...process.env, PROFUSION_SERVER: server.url, XDG_STATE_HOME: join(folder, "state") };
    const command = `"$0" src/cli/main.ts push --service piped <(cat "$1") <(cat "$2")`;
    const { stdout } = await promisify(execFile)("bash", ["-c", command, process.execPath, CPU[0]!, CPU[1]!], { env });
    expect(lines(stdout).length).toBe(2);
  });

  test("names service, type and labels by a folder pattern, beside those of options; what does not match is reported", async () => {
    write("fleet/auth/1.0/heap-1.pb.gz", readFileSync(recorded("go-heap-1.pb.gz")));
    write("fleet/auth/1.1/cpu-1.pb.gz", profile(1));
    write("fleet/web/1.0/custom-1.pb.gz", profile(2));
    write("fleet/web/README", "no profile");
    const options = ["--label", "env=test", "--pattern", "{service}/{version}/{type}-*.pb.gz"];
    const result = await push([...options, join(folder, "fleet")]);
    expect(result.code).toBe(EXIT.partial);
    expect(lines(result.stderr)).toEqual([
      expect.stringMatching(
        /^profusion: .*fleet\/web\/README: Cannot name it: the end of "web\/README" does not match "\{service\}/,
      ),
      "3 of 4 are stored",
    ]);
    const stored = await listProfiles(server.url, '{env="test"}');
    expect(stored.map(({ service, profileType, labels }) => ({ service, profileType, labels }))).toEqual([
      { service: "auth", profileType: "heap", labels: { env: "test", version: "1.0" } },
      { service: "web", profileType: "custom", labels: { env: "test", version: "1.0" } },
      { service: "auth", profileType: "cpu", labels: { env: "test", version: "1.1" } },
    ]);
  });

  test("a profile without a time gets that of its receipt, never that of its file, and --created-at says another", async () => {
    const timeless = write("timeless.pb.gz", profile(0, 0n));
    utimesSync(timeless, new Date("2026-02-03"), new Date("2026-02-03"));
    const untold = await push(["--service", "untold", timeless]);
    expect(untold.stderr).toContain("warning: 1 of 1 have no time of their own and got that of their receipt");
    const [received] = await listProfiles(server.url, '{service="untold"}');
    expect(received).toMatchObject({ startTimeSource: "START_TIME_SOURCE_RECEIPT", startTime: received!.receiveTime });
    const told = await push(["--service", "told", "--created-at", "2026-05-01 14:00", timeless, CPU[0]!]);
    expect(told).toMatchObject({ code: 0, stderr: "" });
    expect((await listProfiles(server.url, '{service="told"}')).map(({ startTime }) => startTime)).toEqual([
      expect.stringContaining("2026-11-"),
      "2026-05-01T12:00:00Z",
    ]);
  });

  test("a file without a time of its own is one profile, however often and late it is sent", async () => {
    const timeless = write("again/timeless.pb.gz", profile(0, 0n));
    const copy = write("again/copy.pb.gz", profile(0, 0n));
    const first = await push(["--service", "again", "--no-resume", timeless]);
    const second = await push(["--service", "again", "--no-resume", timeless]);
    expect(lines(second.stdout)).toEqual(lines(first.stdout));
    const elsewhere = await push(["--service", "elsewhere", timeless, copy]);
    expect(elsewhere.code).toBe(0);
  });

  test("--dry-run says what would be sent as what, and sends nothing", async () => {
    const bad = write("plans/bad.pb.gz", "bad");
    const good = write("plans/good.pb.gz", profile(1));
    const timeless = write("plans/timeless.pb.gz", profile(2, 0n));
    const url = "http://127.0.0.1:9/debug/pprof/heap";
    const result = await push(["--dry-run", "--service", "dry", "--label", "a=b", join(folder, "plans"), url]);
    expect(result.code).toBe(EXIT.partial);
    expect(lines(result.stdout)).toEqual([
      `${good}: cpu{service="dry",a="b"}, 2026-03-02T01:00:01+01:00`,
      `${timeless}: cpu{service="dry",a="b"}, no time of its own`,
      `${url}: {service="dry",a="b"}, its type by its columns, when it is taken`,
    ]);
    expect(lines(result.stderr)[0]).toBe(
      `profusion: ${bad}: This is no profile: it is text, in none of the formats of pprof`,
    );
    expect(lines(result.stderr)[1]).toBe("3 of 4 would be sent");
    expect(await listProfiles(server.url, '{service="dry"}')).toEqual([]);
  });
});

describe("what is refused", () => {
  test("a file that is no profile among a thousand good ones harms none of them, and the exit code tells", async () => {
    for (let number = 0; number < 1000; number++) write(`thousand/${String(number).padStart(4, "0")}`, profile(number));
    write("thousand/0500x", "Not a profile.\n");
    const result = await push(["--service", "thousand", join(folder, "thousand")]);
    expect(result.code).toBe(EXIT.partial);
    expect(new Set(lines(result.stdout)).size).toBe(1000);
    expect(lines(result.stderr)).toEqual([
      expect.stringMatching(/^profusion: .*thousand\/0500x: This is no profile: it is text/),
      "1000 of 1001 are stored",
    ]);
    expect((await listProfiles(server.url, '{service="thousand"}')).length).toBe(1000);
  });

  test("each is told with its reason: by this side, and by the server", async () => {
    const broken = write("mixed/broken", profile(3).subarray(0, 60));
    const typed = await push(["--service", "mixed", "--type", "cpu", CPU[0]!, broken, join(folder, "absent"), CPU[1]!]);
    expect(typed.code).toBe(EXIT.partial);
    expect(lines(typed.stdout).length).toBe(2);
    expect(lines(typed.stderr)).toEqual([
      expect.stringMatching(/^profusion: .*broken: Cannot inflate the profile: /),
      expect.stringMatching(/^profusion: .*absent: Cannot read it: no such file or directory \(ENOENT\)$/),
      "2 of 4 are stored",
    ]);
  });

  test("where all are refused the exit code is the reason's, and of many the first are named", async () => {
    for (let number = 0; number < 25; number++) write(`none/${String(number).padStart(2, "0")}`, "none");
    const result = await push(["--service", "none", join(folder, "none")]);
    expect(result.code).toBe(EXIT.invalid);
    expect(lines(result.stderr).length).toBe(22);
    expect(lines(result.stderr).slice(-2)).toEqual([
      "profusion: … and 5 more were refused; --json names all of them",
      "0 of 25 are stored",
    ]);
    expect((await push(["--service", "none", join(folder, "absent")])).code).toBe(EXIT.notFound);
  });

  test("what leads to no file is told", async () => {
    mkdirSync(join(folder, "empty"));
    const result = await push(["--pattern", "{service}.pb", join(folder, "empty"), join(folder, "*.absent")]);
    expect(result.code).toBe(EXIT.notFound);
    expect(lines(result.stderr).slice(0, 2)).toEqual([
      expect.stringMatching(/empty: No file is in this folder$/),
      expect.stringMatching(/\*\.absent: No file matches$/),
    ]);
  });

  test("what the server warns of is passed on, once for all profiles that it is about", async () => {
    const warned = await push(["--service", "warned", "--label", "type=x", ...CPU]);
    expect(warned.code).toBe(0);
    expect(lines(warned.stderr)).toEqual([
      `warning: ${CPU[0]} and 2 more: label "type" is reserved and was kept as "exported_type"`,
    ]);
  });

  test.each([
    ["no service", [CPU[0]!], "Cannot push without a service: say --service"],
    ["a pattern without a service", ["--pattern", "{type}.pb", CPU[0]!], "Cannot push without a service"],
    [
      "a name twice",
      ["--service", "a", "--pattern", "{service}.pb", CPU[0]!],
      "Cannot take {service} from the pattern",
    ],
    [
      "a label with a control character",
      ["--service", "a", "--label", "a=\u0001", CPU[0]!],
      "control character U+0001",
    ],
    ["a bad type", ["--service", "a", "--type", "a b", CPU[0]!], 'Cannot take profile type "a b"'],
    ["a bad number", ["--service", "a", "--parallel", "0", CPU[0]!], "Cannot send"],
    ["a bad time", ["--service", "a", "--created-at", "soon", CPU[0]!], 'Cannot read time "soon"'],
    ["seconds of a file", ["--service", "a", "--seconds", "5", CPU[0]!], "Cannot use --seconds"],
    ["stdin with a pattern alone", ["--pattern", "{service}.pb", "-"], "Cannot take it without a service"],
  ])("fails in one line for %s", async (_, args, message) => {
    const result = await push(args);
    expect(result.code).toBe(EXIT.invalid);
    expect(result.stdout.length).toBe(0);
    expect(lines(result.stderr)[0]).toContain(message);
  });
});

describe("--json and --quiet", () => {
  test("--json prints one document with every source, and what became of it", async () => {
    const bad = write("json/bad", "bad");
    const good = write("json/good", profile(1));
    const result = await push(["--service", "json", "--label", "a=b", "--json", join(folder, "json")]);
    expect(result.code).toBe(EXIT.partial);
    expect(JSON.parse(result.stdout.toString())).toEqual({
      server: server.url,
      counts: { stored: 1, resumed: 0, refused: 1, unsent: 0, planned: 0 },
      stopped: null,
      results: [
        {
          source: bad,
          state: "refused",
          error: { kind: "invalid", message: expect.stringContaining("This is no profile") },
        },
        {
          source: good,
          state: "stored",
          id: expect.any(String),
          service: "json",
          profileType: "cpu",
          labels: [{ name: "a", value: "b" }],
          startTime: "2026-03-02T00:00:01Z",
          hasReceiptTime: false,
          alreadyExisted: false,
          warnings: [],
        },
      ],
    });
  });

  test("--quiet prints ids and errors alone", async () => {
    const args = ["--quiet", "--service", "quiet", "--label", "type=x", CPU[0]!];
    await push(args);
    const again = await push([...args, join(folder, "absent")]);
    expect(lines(again.stdout).length).toBe(1);
    expect(lines(again.stderr)).toEqual([expect.stringContaining("absent: Cannot read it")]);
  });

  test("whoever reads the ids may leave: all is sent all the same", async () => {
    for (let number = 0; number < 500; number++) write(`left/${number}`, profile(number));
    const env = { ...process.env, PROFUSION_SERVER: server.url, XDG_STATE_HOME: join(folder, "state") };
    const command = `"$0" src/cli/main.ts push --service left --parallel 1 "$1" | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout } = await promisify(execFile)("bash", ["-c", command, process.execPath, join(folder, "left")], {
      env,
    });
    expect(stdout).toMatch(/^[0-9a-z]{26}\n0\n$/);
    expect((await listProfiles(server.url, '{service="left"}')).length).toBe(500);
  });

  test("a push that came to its end leaves nothing behind", async () => {
    expect((await push(["--service", "tidy", ...CPU])).code).toBe(0);
    expect(readdirSync(join(folder, "state/profusion/push"))).toEqual([]);
  });
});

describe("names of files", () => {
  test("do nothing to the terminal, and none makes two lines", async () => {
    const good = write("names/\u001b[31mred\r\nline.pb.gz", profile(1));
    const bad = write("names/a\nb", "bad");
    const shown = (file: string) => file.replace("\u001b", "\\u{1b}").replace("\r", "\\u{d}").replace("\n", "\\u{a}");
    const result = await push(["--dry-run", "--service", "names", join(folder, "names")]);
    expect(lines(result.stdout)).toEqual([`${shown(good)}: cpu{service="names"}, 2026-03-02T01:00:01+01:00`]);
    expect(lines(result.stderr)).toEqual([
      `profusion: ${shown(bad)}: This is no profile: it is text, in none of the formats of pprof`,
      "1 of 2 would be sent",
    ]);
  });

  test.runIf(process.platform === "linux")("that are not UTF-8 are told as such, of files and of links", async () => {
    mkdirSync(join(folder, "latin"));
    const name = (start: string) => Buffer.concat([Buffer.from(join(folder, `latin/${start}`)), Buffer.of(0xff)]);
    writeFileSync(name("file"), profile(1));
    symlinkSync(CPU[0]!, name("link"));
    const result = await push(["--service", "latin", join(folder, "latin")]);
    expect(result.code).toBe(EXIT.invalid);
    expect(lines(result.stderr)).toEqual([
      expect.stringMatching(/file\ufffd: Cannot read it: its name is not UTF-8; rename it, or send it through stdin/),
      expect.stringMatching(/link\ufffd: Cannot read it: its name is not UTF-8/),
      "0 of 2 are stored",
    ]);
  });
});

test("a type that the columns are not of is taken with a warning, a type of one's own and one that fits without", async () => {
  const warning = `warning: ${CPU[0]}: its type is heap, though its columns are those of cpu`;
  for (const more of [["--dry-run"], []]) {
    const odd = await push(["--service", "odd", "--type", "heap", ...more, CPU[0]!]);
    expect([odd.code, lines(odd.stderr)]).toEqual([0, [warning]]);
    const { results } = JSON.parse(
      (await push(["--json", "-q", "--service", "odd", "--type", "heap", ...more, CPU[0]!])).stdout.toString(),
    );
    expect(results[0].warnings).toEqual([warning.replace(/^.*?gz: /, "")]);
  }
  for (const [type, file] of [
    ["cpu", CPU[0]!],
    ["startup", CPU[0]!],
    ["heap", recorded("go-allocs-1.pb.gz")],
    ["allocs", recorded("go-heap-1.pb.gz")],
    ["block", recorded("go-mutex-1.pb.gz")],
  ] as const) {
    expect(await push(["--service", "fitting", "--type", type, file])).toMatchObject({ code: 0, stderr: "" });
  }
});

test("what every profile would be refused for is said once", async () => {
  for (const wrong of [
    ["--service", ""],
    ["--service", "a", "--type", "1"],
    ["--service", "a", "--label", "=b"],
  ]) {
    const result = await push([...wrong, ...CPU]);
    expect([result.code, lines(result.stderr).length]).toEqual([EXIT.invalid, 1]);
  }
});

test("what is no profile is told so by the server, too", async () => {
  const result = await push(["--service", "typed", "--type", "cpu", write("typed/readme.txt", "hi\n")]);
  expect(lines(result.stderr)[0]).toMatch(
    /readme\.txt: This is no profile: it is text, in none of the formats of pprof$/,
  );
});

test("a URL of another kind is refused, without what may be a password in it", async () => {
  const result = await push(["--service", "a", "ftp://me:secret@x/y", "http://me:secret@:0:0/"]);
  expect(result.code).toBe(EXIT.invalid);
  expect(lines(result.stderr).slice(0, 2)).toEqual([
    expect.stringMatching(/^profusion: ftp:\/\/xxxxx@x\/y: Cannot fetch it: the URL of a program is as http:/),
    expect.stringMatching(/^profusion: http:\/\/xxxxx@:0:0\/: Cannot fetch it: the URL of a program is as http:/),
  ]);
});

test.each(["SIGINT", "SIGTERM"] as const)("one %s ends the wait for a pipe that nobody writes to", async (signal) => {
  const pipe = join(folder, `${signal}.fifo`);
  await promisify(execFile)("mkfifo", [pipe]);
  const started = (child: ChildProcess) => {
    // The first id says that the pipe is what is left.
    child.stdout!.once("data", () => child.kill(signal));
  };
  const env = { PROFUSION_SERVER: server.url, XDG_STATE_HOME: join(folder, "state") };
  const result = await runCli(["push", "--service", signal, "--parallel", "2", CPU[0]!, pipe], { env, started });
  expect(result.code).toBe(null);
  expect(lines(result.stderr)).toEqual([
    `profusion: Interrupted by ${signal}`,
    `profusion: ${pipe}: not sent`,
    "profusion: the same command goes on from here",
    "1 of 2 are stored",
  ]);
});
