// `npm run bench -- [row regex] [--size full|small]`: runs rows, prints a table, writes bench/results/<date>-<commit>.json.
// Ends with 1 where a row cannot run; never because it is slow.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROWS } from "./cases.ts";
import type { Size } from "./generate.ts";
import { describeCommit, describeMachine } from "./machine.ts";
import { judge, type Measurement, type Row } from "./measurement.ts";
import { formatMeasurement } from "./table.ts";

interface Outcome {
  row: string;
  what: string;
  measurement?: Measurement & { verdicts: string[] };
  error?: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { size: { type: "string", default: "full" } },
});
const size = parseSize(values.size);
const filter = new RegExp(positionals[0] ?? "");
const rows = ROWS.filter(({ name }) => filter.test(name));
if (rows.length === 0)
  throw new Error(`no row is named like ${filter}: there are ${ROWS.map(({ name }) => name).join(", ")}`);

const machine = await describeMachine();
console.log(
  `${machine.cpu}, ${machine.cores} cores, load ${machine.loadBefore.toFixed(2)}, Node ${machine.node}, ${machine.go}`,
);
const outcomes: Outcome[] = [];
for (const row of rows) {
  const outcome = await runRow(row);
  outcomes.push(outcome);
  console.log(`\n${row.name} — ${row.what}`);
  console.log(outcome.measurement ? formatMeasurement(outcome.measurement, size) : `  cannot run: ${outcome.error}`);
}
console.log(`\nwritten: ${await writeResults(outcomes)}`);
if (outcomes.some(({ error }) => error !== undefined)) process.exitCode = 1;

async function runRow({ name, what, run }: Row): Promise<Outcome> {
  try {
    const measurement = await run(size);
    const verdicts = measurement.targets.map((target) => judge(measurement, target, size));
    return { row: name, what, measurement: { ...measurement, verdicts } };
  } catch (error) {
    return { row: name, what, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Small runs prove that rows run; their figures mean little and are kept out of the history. */
async function writeResults(results: readonly Outcome[]): Promise<string> {
  const commit = await describeCommit();
  const date = new Date().toISOString();
  const folder =
    size === "full" ? join(import.meta.dirname, "results") : join(import.meta.dirname, ".cache", "results");
  const file = join(folder, `${date.slice(0, 16).replace(":", "")}-${commit}.json`);
  await mkdir(folder, { recursive: true });
  const content = { date, commit, size, machine, rows: results };
  await writeFile(file, `${JSON.stringify(content, undefined, 2)}\n`);
  return file;
}

function parseSize(text: string): Size {
  if (text === "full" || text === "small") return text;
  throw new Error(`Cannot run at size "${text}": it is full or small`);
}
