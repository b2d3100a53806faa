// The server's profiles of itself: what is in them, where they go, and that trouble with them is only logged.

import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { decodeProfile } from "../src/pprof/decode.ts";
import { inflate } from "../src/pprof/gzip.ts";
import type { PushRequest } from "../src/repository/repository.ts";
import { startSelfProfile } from "../src/self-profile.ts";

const nowNs = () => BigInt(Date.now()) * 1_000_000n;

/** Keeps the thread busy under a name to look for. */
function burnForSelfProfile(): number {
  let sum = 0;
  for (let turn = 0; turn < 3e6; turn++) sum = (sum + Math.sqrt(turn)) % 1000;
  return sum;
}

/** Busy until `enough` says so; the timers of the profiler get their turns. */
async function burnUntil(enough: () => boolean): Promise<void> {
  while (!enough()) {
    burnForSelfProfile();
    await new Promise(setImmediate);
  }
}

describe("startSelfProfile()", () => {
  test("pushes windows of CPU and of the heap, one behind the other, that show what ran", async () => {
    const pushed: PushRequest[] = [];
    const repository = {
      async push(request: PushRequest) {
        pushed.push(request);
        return { state: "empty" as const };
      },
    };
    {
      await using _ = await startSelfProfile({
        repository,
        nowNs,
        version: "1.2.3",
        logger: pino({ level: "silent" }),
        windowMs: 100,
        periodMs: 120,
      });
      await burnUntil(() => pushed.length >= 6);
    }
    expect(new Set(pushed.map(({ service }) => service))).toEqual(new Set(["profusion"]));
    expect(pushed[0]!.labels).toContainEqual({ name: "version", value: "1.2.3" });
    expect(pushed.slice(0, 6).map(({ type }) => type)).toEqual(["cpu", "heap", "cpu", "heap", "cpu", "heap"]);

    const cpu = pushed.filter(({ type }) => type === "cpu").map(({ bytes }) => decodeProfile(inflate(bytes, 1e8)));
    const burning = cpu.flatMap(({ functions }) => functions).find(({ name }) => name === "burnForSelfProfile");
    expect(burning?.file).toMatch(/self-profile\.test\.ts$/);
    for (const [nth, { timeNs }] of cpu.entries()) {
      if (nth > 0) expect(timeNs).toBeGreaterThanOrEqual(cpu[nth - 1]!.timeNs + cpu[nth - 1]!.durationNs - 20_000_000n);
    }
  });

  test("logs what cannot be kept, and goes on", async () => {
    const lines: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
    const repository = { push: () => Promise.reject(new Error("the disk is full")) };
    await using _ = await startSelfProfile({ repository, nowNs, version: "1", logger, windowMs: 50, periodMs: 60 });
    await burnUntil(() => lines.length >= 2);
    expect(lines[1]).toContain("the disk is full");
  });
});
