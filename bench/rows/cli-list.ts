// `profusion list` of 1000 profiles out of very many by the compiled package: the whole process, as a table and as JSON, beside a Node that
// does nothing.

import { FLEETS, fleetFolder } from "../catalog-data.ts";
import { compiledCli } from "../compiled-cli.ts";
import type { Size } from "../generate.ts";
import { run } from "../go-programs.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import { startProcess } from "../server-process.ts";

export const cliList: Row = {
  name: "cli-list",
  what: "list of 1000 profiles by the compiled package, the whole process",
  run: measure,
};

const ROWS = 1000;
const RUNS: Record<Size, number> = { full: 20, small: 2 };

async function measure(size: Size): Promise<Measurement> {
  await using server = await startProcess(await fleetFolder(size));
  const list = ["list", "--limit", String(ROWS), "--server", server.url];
  const main = await compiledCli();
  const table: number[] = [];
  const json: number[] = [];
  const nothing: number[] = [];
  // The first one compiles, and keeps what it has compiled.
  await timed([main, ...list], ROWS + 1);
  for (let round = 0; round < RUNS[size]; round++) {
    nothing.push(await timed(["-e", "0"], 0));
    table.push(await timed([main, ...list], ROWS + 1));
    json.push(await timed([main, ...list, "--json"], ROWS + 2));
  }
  return {
    counts: { profiles: FLEETS[size].profiles, rows: ROWS, runs: table.length },
    figures: {
      listMs: median(table),
      slowestListMs: Math.max(...table),
      jsonMs: median(json),
      nodeMs: median(nothing),
    },
    targets: [{ figure: "listMs", atMost: 300 }],
  };
}

async function timed(args: readonly string[], lines: number): Promise<number> {
  const startedMs = performance.now();
  const output = await run(process.execPath, args);
  const ms = performance.now() - startedMs;
  const written = output.split("\n").length - 1;
  if (written !== lines) throw new Error(`${args.join(" ")} wrote ${written} lines, not ${lines}`);
  return ms;
}
