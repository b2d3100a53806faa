// `profusion import` as a process with a server, for the tests of each store.

import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listProfiles } from "../cli/push/list-profiles.ts";
import { runCli } from "./run-cli.ts";
import { type Fate, runProxy } from "./run-proxy.ts";
import { runServer } from "./run-server.ts";

export interface Imported {
  code: number | null;
  stderr: string;
  /** Undefined where it was killed. */
  report: { counts: Record<string, number>; imports: Record<string, unknown>[]; store: string } | undefined;
}

export interface ImportForTest extends AsyncDisposable {
  run(args: readonly string[], env?: Record<string, string>): Promise<Imported>;
  /** With one request at a time; killed when the server would get the request of this number, from 0. */
  runKilled(args: readonly string[], request: number, env?: Record<string, string>): Promise<Imported>;
  /** With one request at a time; `act` is done before the server gets the request of this number. */
  runWhile(
    args: readonly string[],
    request: number,
    act: () => void | Promise<void>,
    env?: Record<string, string>,
  ): Promise<Imported>;
  /** Of a service: `type{labels} time`, oldest first. */
  stored(service: string): Promise<string[]>;
}

export async function importForTest(): Promise<ImportForTest> {
  const server = await runServer();
  const folder = mkdtempSync(join(tmpdir(), "profusion-import-"));
  let actAt = Number.POSITIVE_INFINITY;
  let act: () => Fate | Promise<Fate>;
  let child: ChildProcess | undefined;
  // One way for all runs: which server it is decides which import is the same.
  const proxy = await runProxy(
    () => server.url,
    () => (actAt-- === 0 ? act() : "pass"),
  );

  async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Imported> {
    const place = { PROFUSION_SERVER: proxy.url, XDG_STATE_HOME: join(folder, "state"), HOME: folder };
    const { code, stdout, stderr } = await runCli(["import", ...args, "--json"], {
      env: { ...place, ...env },
      started: (each) => {
        child = each;
      },
    });
    return { code, stderr, report: stdout.length > 0 ? JSON.parse(stdout.toString()) : undefined };
  }

  return {
    run,
    async runKilled(args, request, env) {
      actAt = request;
      act = () => {
        child!.kill("SIGKILL");
        return "drop";
      };
      return await run([...args, "--parallel", "1"], env);
    },
    async runWhile(args, request, done, env) {
      actAt = request;
      act = async (): Promise<Fate> => {
        await done();
        return "pass";
      };
      return await run([...args, "--parallel", "1"], env);
    },
    async stored(service) {
      const profiles = await listProfiles(server.url, `{service="${service}"}`);
      const lines = profiles.map(({ profileType, labels, startTime }) => {
        const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
        return `${profileType}{${pairs}} ${startTime}`;
      });
      return lines.reverse();
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}
