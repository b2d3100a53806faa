// Uploads by the routes of other systems, as their clients send them, against the same profiles by `/api/0`: pair by pair, on fresh servers.

import { join } from "node:path";
import { corpus, type Size } from "../generate.ts";
import { type Measurement, median, type Row } from "../measurement.ts";
import { type LoadProtocol, sendLoad } from "../peers.ts";
import { startProcess, temporaryFolder } from "../server-process.ts";

/** The corpus is of an hour long closed, which would be packed at once. */
const NO_PACKING = ["--no-pack"];
const FOREIGN = ["autopgo", "pgo-fleet", "pcapture"] as const satisfies readonly LoadProtocol[];

export const ingestForeign: Row = {
  name: "ingest-foreign",
  what: "durable uploads by the routes of autopgo, pgo-fleet and pcapture, against /api/0",
  run: measure,
};

async function measure(size: Size): Promise<Measurement> {
  const { folder, entries } = await corpus(size, "light");
  const load = size === "full" ? { clients: 8, rounds: 2, warmup: 1000 } : { clients: 8, rounds: 1, warmup: 50 };
  const perSecondOf = async (protocol: LoadProtocol) => {
    await using temporary = await temporaryFolder();
    await using server = await startProcess(join(temporary.path, "data"), NO_PACKING);
    return (await sendLoad(server.url, folder, { ...load, protocol })).perSecond;
  };
  const pairs = size === "full" ? 5 : 1;
  const figures: Record<string, number> = {};
  for (const protocol of FOREIGN) {
    const ratios: number[] = [];
    const rates: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      // In turns, so that what warms up or wears off in the machine favours neither.
      const isFirst = pair % 2 === 0;
      const before = await perSecondOf(isFirst ? protocol : "profefe");
      const after = await perSecondOf(isFirst ? "profefe" : protocol);
      const [foreign, own] = isFirst ? [before, after] : [after, before];
      ratios.push(foreign / own);
      rates.push(foreign);
    }
    const name = protocol.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    figures[`${name}PerSecond`] = median(rates);
    figures[`${name}Ratio`] = median(ratios);
  }
  return {
    counts: { uploads: entries.length * load.rounds, pairs, clients: load.clients },
    figures,
    targets: Object.keys(figures)
      .filter((figure) => figure.endsWith("Ratio"))
      .map((figure) => ({ figure, atLeast: 0.9 })),
  };
}
