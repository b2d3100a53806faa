// How soon `profusion --help` of the compiled package has ended, against Node alone, which starts and does nothing.

import { spawnSync } from "node:child_process";
import { compiledCli } from "../compiled-cli.ts";
import type { Size } from "../generate.ts";
import { type Measurement, median, type Row } from "../measurement.ts";

export const cliHelp: Row = { name: "cli-help", what: "profusion --help of the compiled package", run: measure };

async function measure(size: Size): Promise<Measurement> {
  const main = await compiledCli();
  timed([main, "--help"]); // what it compiles is kept for the next ones, as a user's second call finds it
  const pairs = Array.from({ length: size === "full" ? 25 : 3 }, () => ({
    ownMs: timed([main, "--help"]),
    nodeMs: timed(["-e", "0"]),
  }));
  return {
    counts: { pairs: pairs.length },
    figures: {
      ownMs: median(pairs.map(({ ownMs }) => ownMs)),
      nodeMs: median(pairs.map(({ nodeMs }) => nodeMs)),
      nodeRatio: median(pairs.map(({ ownMs, nodeMs }) => ownMs / nodeMs)),
    },
    targets: [{ figure: "nodeRatio", atMost: 3 }],
  };
}

function timed(args: readonly string[]): number {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status}: ${stderr}`);
  return performance.now() - startedMs;
}
