// Thread entry: the one thread that writes profiles, bytes and rows. What appends and what inserts know nothing of each other; they meet here.

import { parentPort, workerData } from "node:worker_threads";
import type { BlobKind } from "../blob-store.ts";
import { Segments, type SegmentsOptions } from "../disk/segments.ts";
import type { WriterData } from "../sqlite/catalog-threads.ts";
import { answerWriterRequests } from "../sqlite/writer-requests.ts";

/** Opened by a message: what start-up repair finds depends on what the catalog says. */
let segments: Segments | undefined;

answerWriterRequests(parentPort!, workerData as WriterData, {
  methods: {
    openSegments(options: Omit<SegmentsOptions, "report">) {
      segments = new Segments({ ...options, report: (report) => parentPort!.postMessage({ report }) });
    },
    appendToSegment: ({ batch, kind }: { batch: Uint8Array[]; kind: BlobKind }) => segments!.append(batch, kind),
    listSegments: () => segments!.list(),
    deleteSegment: (segmentId: number) => segments!.delete(segmentId),
    sealSegments: () => segments!.sealAll(),
  },
  appendBodies(inserts) {
    const bodies = inserts.flatMap((insert) => insert.bodies!.bytes);
    const locators = segments!.append(bodies, inserts[0]!.bodies!.kind).values();
    for (const { rows } of inserts) for (const row of rows) Object.assign(row, locators.next().value);
    // Not left to the collector: they would be some hundred megabytes before it looks at them.
    for (const { buffer } of bodies) buffer.transfer(0);
  },
});
