// Profiles itself with @datadog/pprof and writes wall and heap profiles into the folder that it is given.

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const { time, heap } = createRequire(join(process.cwd(), "package.json"))("@datadog/pprof");
const folder = process.argv[2];
const kept = [];

heap.start(32 * 1024, 64);
for (let round = 1; round <= 4; round++) {
  const hasLabels = round % 2 === 0;
  time.start({ intervalMicros: 1000, durationMillis: 60_000, withContexts: hasLabels });
  for (let route = 0; route < 4; route++) {
    if (hasLabels) time.setContext({ route: `/route-${route}`, attempt: route });
    work(round);
    kept.push(Array.from({ length: 2000 }, (_, id) => ({ id })));
  }
  const wall = time.stop(false, hasLabels ? ({ context }) => context?.context ?? context ?? {} : undefined);
  writeFileSync(join(folder, `datadog-wall-${round}.pb`), wall.encode());
  writeFileSync(join(folder, `datadog-heap-${round}.pb`), heap.profile().encode());
}

function work(round) {
  for (let call = 0; call < 40 + 10 * round; call++) {
    const orders = Array.from({ length: 300 }, (_, id) => ({ id, item: `item-${id * call}`, price: id / 3 }));
    const text = JSON.stringify(JSON.parse(JSON.stringify(orders)));
    gzipSync(text.replace(/item-(\d+)/g, (_, digits) => [...digits].reverse().join("")));
  }
}
