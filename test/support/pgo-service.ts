// A service that has CPU profiles, as the PGO verbs want one: calls with start lines, in an hour that is over.

import { buildGzip, type FrameSpec } from "./profile-builder.ts";

const HOUR_MS = 3_600_000;

/** `samples` of 10 ms in `callee`, which main.main calls. */
export function cpuProfile(samples: number, callee = "main.leaf"): Uint8Array {
  const stack = [frame(callee), frame("main.main")];
  const timeNs = BigInt(Date.now() - 2 * HOUR_MS) * 1_000_000n;
  return buildGzip({
    timeNs,
    durationNs: 30_000_000_000n,
    samples: [{ stack, values: [samples, samples * 10_000_000] }],
  });
}

function frame(name: string): FrameSpec {
  return { lines: [{ name, line: 12n, startLine: 10n }] };
}

export async function pushCpu(url: string, service: string, profile: Uint8Array, labels = ""): Promise<void> {
  const asked = new URLSearchParams({ service, type: "cpu", ...(labels && { labels }) });
  const response = await fetch(`${url}/api/0/profiles?${asked}`, { method: "POST", body: new Uint8Array(profile) });
  if (!response.ok) throw new Error(`the push was answered with ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}
