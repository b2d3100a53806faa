// SIGHUP of a serving process: what it changes, what it says of the rest, and that faults change nothing.

import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type PeerCertificate } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runServe, type ServeProcess } from "../../support/run-cli.ts";
import { RENEWED_TLS_FILES, TLS_FILES } from "../../support/test-certificate.ts";

const CPU = readFileSync(new URL("../../testdata/recorded/go-cpu-1.pb.gz", import.meta.url));

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-reload-"));
  path = join(folder, "profusion.yaml");
});
afterEach(() => rmSync(folder, { recursive: true }));

const serve = (content: string, args: string[] = [], env: Record<string, string> = {}) => {
  writeFileSync(path, content);
  return runServe(join(folder, "data"), ["--config", path, ...args], env);
};
const push = async ({ url }: ServeProcess) =>
  (await fetch(`${url}/api/0/profiles?service=a&type=cpu`, { method: "POST", body: CPU })).status;

/** The next line with one of these texts that is logged after SIGHUP. */
async function hangUp(server: ServeProcess, ...said: string[]): Promise<Record<string, unknown>> {
  const before = server.log.length;
  server.child.kill("SIGHUP");
  for (;;) {
    const line = server.log.slice(before).find(({ msg }) => said.includes(msg as string));
    if (line) return line;
    const ended = server.ended.then((code) => Promise.reject(new Error(`serve ended with ${code}`)));
    await Promise.race([once(server.child.stdout!, "data"), ended]);
  }
}
const READ = "the configuration was read again";
const REFUSED = "the configuration stays as it was: what was read now is faulty";
const NOT_ALL = "not every change takes effect before the next start";

async function certificateOf(url: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate() as PeerCertificate;
  socket.destroy();
  return serialNumber;
}

describe("SIGHUP", () => {
  test("changes limits and the level of the log, says so, and says what waits for the next start", async () => {
    await using server = await serve("limits:\n  body_bytes: 10\n  columns: 5\n");
    expect(await push(server)).toBe(413);
    writeFileSync(path, "log_level: warn\nlisten: 127.0.0.1:1\noriginals: keep\nlimits:\n  columns: 6\n");
    const { changed, atNextStart } = await hangUp(server, NOT_ALL);
    // Its listen is a flag, which the file does not overrule.
    expect([changed, atNextStart]).toEqual([
      ["log_level: info → warn", "limits.body_bytes: 10 → 64MiB"],
      ["originals: until-packed → keep", "limits.columns: 5 → 6"],
    ]);
    expect(await push(server)).not.toBe(413);
    writeFileSync(path, "log_level: info\nlimits:\n  columns: 5\n");
    expect(await hangUp(server, READ)).toMatchObject({
      changed: ["log_level: warn → info"],
      atNextStart: [],
    });
    const requests = server.log.filter(({ msg }) => msg === "request").length;
    expect(requests).toBe(1); // the second came while the level was warn
  });

  test("refuses a faulty file whole, tells every fault, and serves on as before", async () => {
    await using server = await serve("limits:\n  body_bytes: 10\n");
    writeFileSync(path, "limits:\n  body_bytes: 1MiB\n  lables: 3\nlog_level: loud\n");
    const { faults } = await hangUp(server, REFUSED);
    expect(faults).toEqual([
      expect.stringContaining(`${path}:3:3: Cannot set "limits.lables"`),
      expect.stringContaining(`${path}:4:12: Cannot set log_level to "loud"`),
    ]);
    expect(await push(server)).toBe(413);
    rmSync(path);
    expect(await hangUp(server, REFUSED)).toMatchObject({ faults: [expect.stringContaining("ENOENT")] });
    expect(await push(server)).toBe(413);
    writeFileSync(path, "");
    expect(await hangUp(server, READ)).toMatchObject({ changed: ["limits.body_bytes: 10 → 64MiB"] });
    expect(await push(server)).not.toBe(413);
  });

  test("reads the certificate and its key anew, of the same files and of others; a pair that does not fit changes nothing", async () => {
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    copyFileSync(TLS_FILES.certificate, cert);
    copyFileSync(TLS_FILES.key, key);
    await using server = await serve("tls_cert: cert.pem\ntls_key: key.pem\nlimits: {body_bytes: 10}\n");
    const old = await certificateOf(server.url);
    copyFileSync(RENEWED_TLS_FILES.certificate, cert);
    writeFileSync(path, "tls_cert: cert.pem\ntls_key: key.pem\n");
    expect(await hangUp(server, REFUSED)).toMatchObject({ faults: [expect.stringContaining("does not fit")] });
    expect([await certificateOf(server.url), await push(server)]).toEqual([old, 413]);
    copyFileSync(RENEWED_TLS_FILES.key, key);
    expect(await hangUp(server, READ)).toMatchObject({ changed: ["limits.body_bytes: 10 → 64MiB"], atNextStart: [] });
    const renewed = await certificateOf(server.url);
    expect(renewed).not.toBe(old);
    writeFileSync(path, `tls_cert: ${TLS_FILES.certificate}\ntls_key: ${TLS_FILES.key}\n`);
    await hangUp(server, READ);
    expect(await certificateOf(server.url)).toBe(old);
  });

  test("reads the PGO policies anew; a fault in them is told with its place, and changes nothing", async () => {
    const policies = join(folder, "policies.yaml");
    writeFileSync(policies, "'*':\n  default: {window: 1d}\nauth:\n  release: {min_samples: 5}\n");
    await using server = await serve("pgo_policies: policies.yaml\n");
    const asked = async (service: string) => {
      const body = JSON.stringify({ service });
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${server.url}/profusion.v1.PgoService/ListPgoPolicies`, {
        method: "POST",
        headers,
        body,
      });
      const answer = (await response.json()) as { policies: { name: string; window?: string }[] };
      return answer.policies.map(({ name, window }) => `${name} ${window ?? "all"}`);
    };
    expect(await asked("auth")).toEqual(["default 86400s", "plain all", "release 604800s"]);
    expect(await asked("web")).toEqual(["default 86400s", "plain all"]);
    writeFileSync(policies, "auth:\n  default: {widnow: 2d}\n");
    expect(await hangUp(server, REFUSED)).toMatchObject({
      faults: [`${path}:1:1: Cannot read ${policies}: auth: default: there is no "widnow"; did you mean window?`],
    });
    expect(await asked("web")).toEqual(["default 86400s", "plain all"]);
    writeFileSync(policies, "auth:\n  default: {window: 2d}\n");
    await hangUp(server, READ);
    expect(await asked("auth")).toEqual(["default 172800s", "plain all"]);
  });

  test("reads autopgo's prune rules anew; a fault in them changes nothing", async () => {
    const rules = join(folder, "prune.json");
    writeFileSync(rules, '[{"app": "web", "rules": [{"drop": "^runtime"}]}]');
    await using server = await serve("autopgo_prune: prune.json\n");
    const pruned = async () => {
      const response = await fetch(`${server.url}/profusion.v1.PgoService/GetPgoPolicy`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ service: "web", name: "default" }),
      });
      const answer = (await response.json()) as { policy: { prune?: { drop: string }[] } };
      return answer.policy.prune?.map(({ drop }) => drop);
    };
    expect(await pruned()).toEqual(["^runtime"]);
    writeFileSync(rules, '[{"app": "web", "rules": [{"drop": "^runtime"}, {"keep": "x"}]}]');
    expect(await hangUp(server, REFUSED)).toMatchObject({
      faults: [expect.stringContaining("rule 2: there is no drop")],
    });
    expect(await pruned()).toEqual(["^runtime"]);
    writeFileSync(rules, "[]");
    await hangUp(server, READ);
    expect(await pruned()).toBeUndefined();
  });

  test("switches TLS neither on nor off", async () => {
    await using server = await serve("");
    writeFileSync(path, `tls_cert: ${TLS_FILES.certificate}\ntls_key: ${TLS_FILES.key}\n`);
    const { atNextStart } = await hangUp(server, NOT_ALL);
    expect(atNextStart).toEqual([expect.stringMatching(/^tls_cert: not set → /), expect.stringMatching(/^tls_key: /)]);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  test("of a server without a file changes nothing, and the server stops as ever", async () => {
    await using server = await runServe(join(folder, "data"), [], { PROFUSION_LIMIT_BODY_BYTES: "10" });
    expect(await hangUp(server, READ)).toMatchObject({ changed: [], atNextStart: [] });
    expect(await push(server)).toBe(413);
    server.child.kill("SIGTERM");
    expect(await server.ended).toBe(0);
  });

  test("many at once are answered one after the other", async () => {
    await using server = await serve("limits: {body_bytes: 10}\n");
    for (let signal = 0; signal < 20; signal++) server.child.kill("SIGHUP");
    writeFileSync(path, "");
    // Signals that wait are one signal; each that arrived reads the file as it is then.
    await hangUp(server, READ);
    expect(await push(server)).not.toBe(413);
  });
});

test("serve takes what it runs with from a file, and warns in its log of variables that nothing reads", async () => {
  await using server = await serve("limits: {body_bytes: 10}\n", [], { PROFUSION_LIMITS: "1" });
  expect(await push(server)).toBe(413);
  expect(server.log.map(({ msg }) => msg)).toContain(
    "The variable PROFUSION_LIMITS is not used: no setting has this name",
  );
});
