// What the same merge costs when it is asked again, of a server as users start it.

import { median } from "./measurement.ts";
import { startProcess } from "./server-process.ts";
import { timedMerge } from "./server-requests.ts";

const TIMES = 20;

/** The median, after one that makes the answer. */
export async function againMs(
  dataFolder: string,
  options: readonly string[],
  query: Record<string, string>,
  profiles: number,
): Promise<number> {
  await using server = await startProcess(dataFolder, options);
  const times: number[] = [];
  for (let nth = 0; nth <= TIMES; nth++) times.push((await timedMerge(server.url, query, profiles)).ms);
  return median(times.slice(1));
}
