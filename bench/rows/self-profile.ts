// What it costs that a server profiles itself: CPU time of uploads in the windows that it profiles, against that of those around them.
// Of one process, which is this one: two of the same kind, side by side, differ by up to 6 %.

import { join } from "node:path";
import { pino } from "pino";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { NS_PER_MS } from "../../src/model/time.ts";
import type { PushRequest } from "../../src/repository/repository.ts";
import { startSelfProfile } from "../../src/self-profile.ts";
import { startServer } from "../../src/server.ts";
import { corpus, type Size } from "../generate.ts";
import type { Measurement, Row } from "../measurement.ts";
import { sendLoad } from "../peers.ts";
import { temporaryFolder } from "../server-process.ts";

export const selfProfile: Row = {
  name: "self-profile",
  what: "CPU time of durable uploads to a server that profiles itself, against the same between its windows",
  run: measure,
};

interface Times {
  /** Without profiles, before and after. */
  plainMs: number;
  profiledMs: number;
  windowMs: number;
  periodMs: number;
}

/** Four periods as they are by default, the first with a window of the heap: more than its share, which is one of ten. */
const TIMES: Record<Size, Times> = {
  full: { plainMs: 20_000, profiledMs: 240_000, windowMs: 10_000, periodMs: 60_000 },
  small: { plainMs: 100, profiledMs: 1_500, windowMs: 200, periodMs: 1_000 },
};
/** Before a window V8 gets ready for it, and after it its profiles are made and stored. */
const MARGIN_MS = 1_000;
/** So many before a round and after it tell what it would take: uploads take more from minute to minute, as the catalog grows. */
const NEIGHBOURS = 3;

interface Round {
  startMs: number;
  endMs: number;
  cpuMs: number;
}

async function measure(size: Size): Promise<Measurement> {
  const { plainMs, profiledMs, ...times } = TIMES[size];
  const { folder, entries } = await corpus(size, "light");
  await using temporary = await temporaryFolder();
  const logger = pino({ level: "warn" });
  const listen = [{ host: "127.0.0.1", port: 0 }];
  const dataFolder = join(temporary.path, "data");
  // Without packing, which would begin at once: the uploads are of hours that are long over.
  const server = await startServer({ listen, dataFolder, limits: DEFAULT_LIMITS, logger, version: "bench" });
  const url = `http://127.0.0.1:${server.addresses[0]!.port}`;
  const rounds: Round[] = [];
  await sendFor(plainMs, url, folder, rounds);

  const windowEndsMs: number[] = [];
  const push = (request: PushRequest) => {
    windowEndsMs.push(performance.now());
    return server.repository.push(request);
  };
  const nowNs = () => BigInt(Date.now()) * NS_PER_MS;
  const from = rounds.length;
  const profiling = await startSelfProfile({ repository: { push }, nowNs, version: "bench", logger, ...times });
  await sendFor(profiledMs, url, folder, rounds);
  await profiling[Symbol.asyncDispose]();
  const to = rounds.length;
  await sendFor(plainMs, url, folder, rounds);
  await server.close(0);

  const isInWindow = ({ startMs, endMs }: Round) =>
    windowEndsMs.some((end) => endMs > end - times.windowMs - MARGIN_MS && startMs < end + MARGIN_MS);
  const inWindows = rounds.filter(isInWindow);
  const without = (round: Round) => (isInWindow(round) ? cpuAround(round, rounds, isInWindow) : round.cpuMs);
  const profiled = rounds.slice(from, to);
  const withoutCpuMs = sum(profiled.map(without)) / profiled.length / entries.length;
  const withCpuMs = sum(profiled.map(({ cpuMs }) => cpuMs)) / profiled.length / entries.length;
  const windowRatio = sum(inWindows.map(({ cpuMs }) => cpuMs)) / sum(inWindows.map(without));
  return {
    counts: { uploads: entries.length * profiled.length, rounds: profiled.length, roundsInWindows: inWindows.length },
    figures: { withCpuMs, withoutCpuMs, windowRatio, cpuRatio: withCpuMs / withoutCpuMs },
    targets: [{ figure: "cpuRatio", atMost: 1.02 }],
  };
}

async function sendFor(ms: number, url: string, folder: string, rounds: Round[]): Promise<void> {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs) {
    const startMs = performance.now();
    const before = process.cpuUsage();
    await sendLoad(url, folder, { clients: 8, rounds: 1, warmup: 0, firstRound: rounds.length });
    const { user, system } = process.cpuUsage(before);
    rounds.push({ startMs, endMs: performance.now(), cpuMs: (user + system) / 1000 });
  }
}

/** Of the nearest rounds between windows, as many on each side. */
function cpuAround(round: Round, rounds: readonly Round[], isInWindow: (round: Round) => boolean): number {
  const between = rounds.filter((other) => !isInWindow(other));
  const sides = [
    between.filter(({ startMs }) => startMs < round.startMs).slice(-NEIGHBOURS),
    between.filter(({ startMs }) => startMs > round.startMs).slice(0, NEIGHBOURS),
  ].filter((side) => side.length > 0);
  return sum(sides.map((side) => sum(side.map(({ cpuMs }) => cpuMs)) / side.length)) / sides.length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
