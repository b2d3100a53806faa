// A data folder with a month of profiles in day packs, made straight by the pack builder and registered through the storage API. Of what
// was sent there is a placeholder of a few bytes for each profile, which is given up as packed profiles are.

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { DEFAULT_LIMITS } from "../src/model/limits.ts";
import type { BlobStore } from "../src/storage/blob-store.ts";
import type { Catalog } from "../src/storage/catalog.ts";
import { openLocalStorage } from "../src/storage/local/open-local-storage.ts";
import type { PackFile } from "../src/storage/pack-catalog.ts";
import { packName } from "../src/storage/pack-name.ts";
import { keptFolder } from "./data-folders.ts";
import { DAY_START_NS, type Size } from "./generate.ts";
import type { PackedDay } from "./month-day.ts";
import { MONTHS, type MonthSize } from "./month-fleet.ts";

export const MONTH_START_NS = DAY_START_NS;
const DAY_NS = 86_400_000_000_000n;
const BATCH = 512;
/** Not all of src/pack: a month that another version of the same format packed is a month still. Remove the folder to pack it anew. */
const SOURCES = ["src/fleet/fleet.ts", "bench/month*.ts", "src/pack/format.ts"];

/** Filled now if it is not in the cache: at full size ten minutes of CPU time, 300 MB. */
export async function monthFolder(size: Size): Promise<string> {
  return await keptFolder(`month-${size}`, SOURCES, async (folder) => {
    const month = MONTHS[size];
    const report = (message: string) => console.error(message);
    await using storage = await openLocalStorage({ folder, limits: DEFAULT_LIMITS, report });
    const { catalog, blobs } = storage;
    for await (const day of packedDays(month)) {
      await register(catalog, blobs, day);
      if (size === "full") console.error(`day ${day.day + 1} of ${month.days} is packed`);
    }
    await blobs.sealSegments();
  });
}

/** In their order, each thread one ahead. */
async function* packedDays(month: MonthSize): AsyncGenerator<PackedDay> {
  const threads = Array.from({ length: availableParallelism() }, () => new PackingThread(month));
  const running: Promise<PackedDay>[] = [];
  try {
    for (let day = 0; day < month.days; day++) {
      running.push(threads[day % threads.length]!.pack(day));
      if (running.length === threads.length) yield await running.shift()!;
    }
    for (const last of running) yield await last;
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

/** Asked for one day at a time. */
class PackingThread {
  readonly #worker: Worker;

  constructor(month: MonthSize) {
    this.#worker = new Worker(new URL("./month-day.ts", import.meta.url), { workerData: month });
  }

  pack(day: number): Promise<PackedDay> {
    const { promise, resolve, reject } = Promise.withResolvers<PackedDay>();
    this.#worker.once("message", (packed: PackedDay) => {
      this.#worker.off("error", reject);
      resolve(packed);
    });
    this.#worker.once("error", reject);
    this.#worker.postMessage(day);
    return promise;
  }

  end(): Promise<number> {
    return this.#worker.terminate();
  }
}

async function register(catalog: Catalog, blobs: BlobStore, { day, profiles, shape, packs }: PackedDay): Promise<void> {
  for (let first = 0; first < profiles.length; first += BATCH) {
    const batch = profiles.slice(first, first + BATCH);
    const bodies = batch.map((_, at) => Buffer.from(`profile ${first + at}`));
    const locators = await blobs.append(bodies, "profile");
    const outcomes = await catalog.insert(
      batch.map((profile, at) => ({
        ...profile,
        timeSource: "profile" as const,
        shape,
        sampleLabelKeys: [],
        locator: locators[at]!,
      })),
    );
    const expected = day * profiles.length + first + 1;
    if (outcomes[0]!.record.seq !== expected) throw new Error(`seq ${outcomes[0]!.record.seq} is not ${expected}`);
  }
  const { serviceId, typeId, shapeId } = (await catalog.looseHours())[0]!;
  const startNs = MONTH_START_NS + BigInt(day) * DAY_NS;
  const window = { serviceId, typeId, shapeId, level: "day" as const, startNs, endNs: startNs + DAY_NS };
  const { runId } = await catalog.beginPack({ ...window, seqFrom: 1 });
  const { seqs } = await catalog.packRows(runId);
  const files: PackFile[] = [];
  for (const { bytes, profiles: count } of packs) {
    const packId = await catalog.nextPackId();
    await blobs.put(packName(packId), bytes);
    files.push({ packId, profiles: count, sizeBytes: bytes.length });
  }
  const { setId } = await catalog.switchPackSet({ runId, packs: files, seqs, replaces: [] });
  for (let afterId: Uint8Array | undefined; ; ) {
    afterId = await catalog.settlePackSet({ setId: setId!, release: true, ...(afterId && { afterId }) });
    if (afterId === undefined) return;
  }
}
