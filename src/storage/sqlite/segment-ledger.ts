// How many bytes of each segment are named by rows and how many are dead: gathered during a transaction, written once at its end.

import type { Locator } from "../blob-store.ts";
import { frameEnd } from "../frame.ts";
import type { Statements } from "./statements.ts";

interface Change {
  bytes: number;
  deadBytes: number;
  live: number;
  endOffset: number;
  /** Ids of what was added lie between these. */
  firstId: Buffer | undefined;
  lastId: Buffer | undefined;
}

export class SegmentLedger {
  readonly #statements: Statements;
  readonly #changes = new Map<number, Change>();

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  add(locator: Locator, id: Buffer): void {
    const change = this.#changeOf(locator.segmentId);
    change.bytes += locator.sizeBytes;
    change.live++;
    change.endOffset = Math.max(change.endOffset, frameEnd(locator));
    if (!change.firstId || Buffer.compare(id, change.firstId) < 0) change.firstId = id;
    if (!change.lastId || Buffer.compare(id, change.lastId) > 0) change.lastId = id;
  }

  /** `asIfNever`: what was added was no copy of its own. */
  remove({ segmentId, sizeBytes }: Locator, asIfNever = false): void {
    const change = this.#changeOf(segmentId);
    change.live--;
    if (asIfNever) change.bytes -= sizeBytes;
    else change.deadBytes += sizeBytes;
  }

  write(): void {
    const upsert = this.#statements.plain(
      `INSERT INTO segment (segment_id, bytes, dead_bytes, live, end_offset, first_id, last_id)
      VALUES (@segmentId, @bytes, @deadBytes, @live, @endOffset, @firstId, @lastId)
      ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, dead_bytes = dead_bytes + excluded.dead_bytes, live = live + excluded.live,
        end_offset = max(end_offset, excluded.end_offset), first_id = min(first_id, excluded.first_id), last_id = max(last_id, excluded.last_id)`,
    );
    const update = this.#statements.plain(
      "UPDATE segment SET dead_bytes = dead_bytes + @deadBytes, live = live + @live WHERE segment_id = @segmentId",
    );
    for (const [segmentId, change] of this.#changes) (change.firstId ? upsert : update).run({ segmentId, ...change });
    this.#changes.clear();
  }

  /** After a rollback. */
  forget(): void {
    this.#changes.clear();
  }

  #changeOf(segmentId: number): Change {
    let change = this.#changes.get(segmentId);
    if (!change) {
      change = { bytes: 0, deadBytes: 0, live: 0, endOffset: 0, firstId: undefined, lastId: undefined };
      this.#changes.set(segmentId, change);
    }
    return change;
  }
}
