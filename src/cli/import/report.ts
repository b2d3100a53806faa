// What became of the objects of an import, as it grows: only what is told at the end is kept. Its texts are print-report.ts.

import type { DomainError } from "../../model/errors.ts";
import type { Outcome, ProfileName } from "../push/outcome.ts";
import type { Layout } from "./layouts.ts";

/** Of names that nobody has to act on. */
const EXAMPLES = 20;

export interface Row {
  layout: Layout;
  service: string;
  /** Undefined in a dry run, where only the columns tell. */
  type: string | undefined;
  imported: number;
  /** The server had them, or an earlier run of this import had them acknowledged. */
  thereBefore: number;
  /** Of a dry run. */
  planned: number;
  firstNs: bigint | undefined;
  lastNs: bigint | undefined;
}

export interface NotImported {
  name: string;
  failure: DomainError;
}

export class ImportReport {
  readonly rows = new Map<string, Row>();
  readonly refused: NotImported[] = [];
  /** Of profiles without samples. */
  readonly empty: string[] = [];
  /** What may be in a sum already. */
  readonly inSums: { name: string; sum: string }[] = [];
  /** Names that no layout has. */
  readonly strange = { count: 0, examples: [] as string[] };
  readonly warnings = new Map<string, { first: string; count: number }>();
  resumed = 0;
  settled = 0;

  stored(name: string, layout: Layout, outcome: Outcome & { state: "stored" }): void {
    const row = this.#row(layout, outcome.named, outcome.startTimeNs);
    if (outcome.alreadyExisted) row.thereBefore++;
    else row.imported++;
    for (const warning of outcome.warnings) {
      const known = this.warnings.get(warning);
      if (known) known.count++;
      else this.warnings.set(warning, { first: name, count: 1 });
    }
    this.settled++;
  }

  planned(layout: Layout, named: Omit<ProfileName, "type"> & { type: string | undefined }, timeNs?: bigint): void {
    this.#row(layout, named, timeNs).planned++;
    this.settled++;
  }

  resume(): void {
    this.resumed++;
    this.settled++;
  }

  refuse(name: string, failure: DomainError): void {
    this.refused.push({ name, failure });
    this.settled++;
  }

  leaveEmpty(name: string): void {
    this.empty.push(name);
    this.settled++;
  }

  leaveStrange(name: string): void {
    this.strange.count++;
    if (this.strange.examples.length < EXAMPLES) this.strange.examples.push(name);
  }

  count(field: "imported" | "thereBefore" | "planned"): number {
    return [...this.rows.values()].reduce((sum, row) => sum + row[field], 0);
  }

  #row(layout: Layout, { service, type }: Pick<Row, "service" | "type">, timeNs: bigint | undefined): Row {
    const key = JSON.stringify([layout, service, type ?? null]);
    let row = this.rows.get(key);
    if (row === undefined) {
      row = { layout, service, type, imported: 0, thereBefore: 0, planned: 0, firstNs: timeNs, lastNs: timeNs };
      this.rows.set(key, row);
    }
    if (timeNs !== undefined) {
      if (row.firstNs === undefined || timeNs < row.firstNs) row.firstNs = timeNs;
      if (row.lastNs === undefined || timeNs > row.lastNs) row.lastNs = timeNs;
    }
    return row;
  }
}
