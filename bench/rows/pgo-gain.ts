// What a served PGO profile is worth: a program of ours (bench/pgo) built without, with the profile of one run made by hand, which is of the very
// work that is timed, and with the one that a server makes of several instances, none of which did just that work.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Size } from "../generate.ts";
import { run } from "../go-programs.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import { startProcess, temporaryFolder } from "../server-process.ts";

const PROGRAM = join(import.meta.dirname, "../pgo");
/** What each instance is asked for, and how often as often: all of them work for about as long. */
const INSTANCES = [
  ["totals", 7],
  ["totals", 7],
  ["all", 1],
  ["all", 1],
  ["index", 5],
] as const;

export const pgoGain: Row = {
  name: "pgo-gain",
  what: "a program built with the served PGO profile of five instances, against a hand-made one, and without",
  run: measure,
};

async function measure(size: Size): Promise<Measurement> {
  const rounds = size === "full" ? 4000 : 300;
  await using temporary = await temporaryFolder();
  const file = (name: string) => join(temporary.path, name);
  const build = async (name: string, profile: string) => {
    await run("go", ["build", `-pgo=${profile}`, "-o", file(name), "."], { cwd: PROGRAM });
    return file(name);
  };
  const plain = await build("plain", "off");
  await work(plain, rounds, "all", file("single.pgo"));
  await writeFile(file("served.pgo"), await served(plain, temporary.path, rounds));
  const programs = [plain, await build("single", file("single.pgo")), await build("served", file("served.pgo"))];
  const times: number[][] = [];
  for (let turn = 0; turn < (size === "full" ? 21 : 3); turn++) {
    const ms: number[] = [];
    // Each comes first as often as the others.
    for (let at = 0; at < programs.length; at++) {
      const next = (turn + at) % programs.length;
      ms[next] = await work(programs[next]!, size === "full" ? 1000 : 50, "all");
    }
    times.push(ms);
  }
  const of = (figure: (ms: number[]) => number) => median(times.map(figure));
  return {
    counts: { instances: INSTANCES.length, turns: times.length },
    figures: {
      plainCpuMs: of(([none]) => none!),
      singleCpuMs: of(([, single]) => single!),
      servedCpuMs: of(([, , many]) => many!),
      singleGainRatio: of(([none, single]) => none! / single!),
      servedGainRatio: of(([none, , many]) => none! / many!),
      servedToSingleRatio: of(([, single, many]) => single! / many!),
    },
    targets: [{ figure: "servedToSingleRatio", atLeast: 0.97 }],
  };
}

/** The file that a server makes of the profiles of all instances, as a build fetches it. */
async function served(plain: string, folder: string, rounds: number): Promise<Uint8Array> {
  await using server = await startProcess(join(folder, "data"));
  for (const [at, [mix, times]] of INSTANCES.entries()) {
    const profile = join(folder, `instance-${at}.pb.gz`);
    await work(plain, rounds * times, mix, profile);
    const query = new URLSearchParams({ service: "records", type: "cpu", labels: `instance=${at}` });
    await answered(`${server.url}/api/0/profiles?${query}`, { method: "POST", body: await readFile(profile) });
  }
  // Until now: the hour of these profiles is not over.
  return await answered(`${server.url}/api/0/pgo/records?end=now`);
}

async function answered(url: string, request: RequestInit = {}): Promise<Uint8Array> {
  const answer = await fetch(url, request);
  const body = new Uint8Array(await answer.arrayBuffer());
  if (answer.ok) return body;
  throw new Error(`${url} answered ${answer.status}: ${answer.headers.get("profusion-reason") ?? Buffer.from(body)}`);
}

/** CPU time in milliseconds. */
async function work(program: string, rounds: number, mix: string, profile?: string): Promise<number> {
  const args = ["-mix", mix, "-rounds", String(rounds), ...(profile ? ["-cpuprofile", profile] : [])];
  const [ns] = (await run(program, args)).split(" ");
  return Number(ns) / 1e6;
}
