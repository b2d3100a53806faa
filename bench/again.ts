// What the same merge costs when it is asked again, of a server as users start it.

import { median } from "./measurement.ts";
import { startProcess } from "./server-process.ts";
import { timedMerge } from "./server-requests.ts";

/** The median of five, after one that makes the answer. */
export async function againMs(
  dataFolder: string,
  options: readonly string[],
  query: Record<string, string>,
  profiles: number,
): Promise<number> {
  await using server = await startProcess(dataFolder, options);
  const times: number[] = [];
  for (let nth = 0; nth < 6; nth++) times.push((await timedMerge(server.url, query, profiles)).ms);
  return median(times.slice(1));
}
