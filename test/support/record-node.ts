// Records the Node profiles of test/testdata/recorded: our own load under V8's profiler, written by pprof-format, which is
// how Node services write profiles. A program, run by hand.

import { writeFileSync } from "node:fs";
import { type Profiler, Session } from "node:inspector/promises";
import { gzipSync } from "node:zlib";
import { Function as Callee, Line, Location, Profile, Sample, StringTable, ValueType } from "pprof-format";

for (const round of [1, 2]) {
  const bytes = gzipSync(toProfile(await profileLoad(round)).encode());
  writeFileSync(new URL(`../testdata/recorded/node-cpu-${round}.pb.gz`, import.meta.url), bytes);
}

async function profileLoad(round: number): Promise<Profiler.Profile> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  for (let call = 0; call < 150 * round; call++) {
    const orders = Array.from({ length: 300 }, (_, id) => ({ id, item: `item-${id * call}`, price: id / 3 }));
    const text = JSON.stringify(JSON.parse(JSON.stringify(orders)));
    gzipSync(text.replace(/item-(\d+)/g, (_, digits: string) => [...digits].reverse().join("")));
  }
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  return profile;
}

/** One row per node of V8's call tree that was on top in a sample. */
function toProfile({ nodes, startTime, endTime }: Profiler.Profile): Profile {
  const stringTable = new StringTable();
  const text = (value: string) => stringTable.dedup(value);
  const callees = new Map<string, Callee>();
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)));
  const byId = new Map(nodes.map((node) => [node.id, node]));

  const locations = nodes.map(({ id, callFrame }) => {
    const file = callFrame.url.replace(/^file:.*\/(?=[^/]+$)/, "app/");
    const key = JSON.stringify([callFrame.functionName, file, callFrame.lineNumber]);
    const names = { name: text(callFrame.functionName || "(anonymous)"), filename: text(file) };
    const startLine = callFrame.lineNumber + 1;
    const callee = callees.get(key) ?? new Callee({ id: callees.size + 1, startLine, ...names });
    callees.set(key, callee);
    return new Location({ id, line: [new Line({ functionId: callee.id, line: startLine })] });
  });
  const sample = nodes
    .filter((node) => (node.hitCount ?? 0) > 0)
    .map((node) => {
      const stack: number[] = [];
      for (let at = byId.get(node.id); at && parents.has(at.id); at = parents.get(at.id)) stack.push(at.id);
      return new Sample({ locationId: stack, value: [node.hitCount ?? 0, (node.hitCount ?? 0) * 1_000_000] });
    });
  return new Profile({
    sampleType: [
      new ValueType({ type: text("sample"), unit: text("count") }),
      new ValueType({ type: text("wall"), unit: text("nanoseconds") }),
    ],
    sample,
    location: locations,
    function: [...callees.values()],
    stringTable,
    timeNanos: BigInt(Date.now()) * 1_000_000n,
    durationNanos: (endTime - startTime) * 1000,
    periodType: new ValueType({ type: text("wall"), unit: text("nanoseconds") }),
    period: 1_000_000,
  });
}
