// `profusion key`, over a real server: what it prints opens what it says, and what a revoked key sent is gone.

import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { buildGzip } from "../support/profile-builder.ts";
import { runCli, runServe } from "../support/run-cli.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-key-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const cli = async (...args: string[]) => {
  const { code, stdout, stderr } = await runCli(args);
  return { code, out: stdout.toString(), err: stderr };
};
const newKey = async (...args: string[]) => {
  const { out } = await cli("key", "new", ...args, "--json");
  return JSON.parse(out) as { id: string; key: string; line: string };
};

test("a new key opens what its line says, and a revoked one nothing; --purge deletes all that it sent and nothing else", async () => {
  const ci = await newKey("ci", "--scope", "write", "--service", "a, b", "--label", "env=c i");
  const other = await newKey("other", "--scope", "write");
  const admin = await newKey("admin", "--scope", "read,delete");
  expect(ci.line).not.toContain(ci.key);
  const file = join(folder, "keys");
  writeFileSync(file, `# of the team\n${ci.line}\n${other.line}\n${admin.line}\n`, { mode: 0o600 });
  await using server = await runServe(join(folder, "data"), ["--keys", file]);
  const push = async (key: string, at: number) => {
    const body = buildGzip({
      timeNs: 1_750_000_000_000_000_000n + BigInt(at),
      samples: [{ stack: ["main"], values: [1n, 1n] }],
    });
    const service = key === ci.key ? "" : "&service=c";
    const headers = { authorization: `Bearer ${key}` };
    const url = `${server.url}/api/0/profiles?type=cpu${service}`;
    const answer = await fetch(url, { method: "POST", headers, body });
    return { status: answer.status, body: ((await answer.json()) as { body: unknown }).body };
  };
  for (let at = 0; at < 40; at++) {
    expect((await push(ci.key, at)).body).toMatchObject({ service: "a, b", labels: [{ key: "env", value: "c i" }] });
  }
  expect((await push(other.key, 0)).status).toBe(200);

  const to = ["--server", server.url, "--key", admin.key];
  const unsaid = await cli("key", "revoke", "ci", "--purge", ...to);
  expect(unsaid).toMatchObject({
    code: 2,
    err: expect.stringContaining('40 profiles that came by ci?" without a terminal'),
  });
  const revoked = await cli("key", "revoke", "ci", "--file", file, "--purge", "--yes", ...to);
  expect(revoked).toMatchObject({ code: 0, out: "deleted 40 profiles\n" });
  expect(readFileSync(file, "utf8")).toBe(`# of the team\n${other.line}\n${admin.line}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const left = JSON.parse((await cli("list", "{}", "--json", ...to)).out) as { profiles: { submitter: string }[] };
  expect(left.profiles.map(({ submitter }) => submitter)).toEqual(["other"]);
  await vi.waitFor(async () => expect((await push(ci.key, 0)).status).toBe(401), { timeout: 20_000 });
  expect((await push(other.key, 1)).status).toBe(200);

  // The server reads the file that a link names.
  const link = join(folder, "link-to-keys");
  symlinkSync(file, link);
  expect(await cli("key", "revoke", "other", "--file", link)).toMatchObject({ code: 0 });
  expect(readFileSync(file, "utf8")).toBe(`# of the team\n${admin.line}\n`);
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(await cli("key", "revoke", "range", "--file", file)).toMatchObject({
    code: 2,
    err: expect.stringContaining("it is no key"),
  });
  expect(await cli("key", "revoke", "ci", "--file", file)).toMatchObject({
    code: 3,
    err: expect.stringContaining("has no key with this id"),
  });
});

test("SIGHUP reads the keys again; of a faulty file the log tells the line, and never a key", async () => {
  const file = join(folder, "keys-of-hup");
  const [first, second] = ["first-key-0123456789", "second-key-0123456789"];
  writeFileSync(file, `first ${first} write`);
  await using server = await runServe(join(folder, "data-of-hup"), ["--keys", file]);
  const status = async (key: string) => {
    const body = buildGzip({ samples: [{ stack: ["main"], values: [1n, 1n] }] });
    const url = `${server.url}/api/0/profiles?type=cpu&service=a&token=${key}`;
    return (await fetch(url, { method: "POST", body })).status;
  };
  const told = (text: string) =>
    vi.waitFor(() => expect(server.log.map((line) => JSON.stringify(line)).join("\n")).toContain(text), {
      timeout: 20_000,
    });
  expect(await status(first)).toBe(200);
  writeFileSync(file, `first ${first} write\nsecond ${second} wrote`);
  server.child.kill("SIGHUP");
  await told("keys-of-hup:2: Cannot use this line: its third word has no scopes");
  expect(await status(first)).toBe(200);
  writeFileSync(file, `second ${second} write`);
  server.child.kill("SIGHUP");
  await vi.waitFor(async () => expect(await status(second)).toBe(200), { timeout: 20_000 });
  expect(await status(first)).toBe(401);
  await told('"caller":"second"');
  const log = JSON.stringify(server.log);
  for (const key of [first, second]) expect(log).not.toContain(key);
});

test("what cannot be a line is said before it is in the file", async () => {
  expect(await cli("key", "new", "9", "--scope", "write")).toMatchObject({ code: 2, out: "" });
  expect((await cli("key", "new", "a", "--scope", "root")).err).toContain("third word has no scopes");
  expect((await cli("key", "new", "a", "--scope", "submit")).err).toContain("needs the service");
  expect((await cli("key", "revoke", "a")).err).toContain("name it with --file");
});
