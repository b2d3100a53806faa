// The plain way to store uploads, over the drivers in memory.

import { MemoryBlobs } from "../../src/storage/memory/blobs.ts";
import { openMemoryCatalog } from "../../src/storage/memory/catalog.ts";
import { appendThenInsert } from "../../src/storage/store-uploads.ts";
import { describeStoreUploads } from "./store-uploads-contract.ts";

describeStoreUploads("append, then insert", async (limits, spaceOf) => {
  const catalog = openMemoryCatalog({ limits });
  const blobs = new MemoryBlobs(limits, spaceOf);
  return { catalog, blobs, store: appendThenInsert(blobs, catalog), async [Symbol.asyncDispose]() {} };
});
