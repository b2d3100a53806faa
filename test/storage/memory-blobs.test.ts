// The in-memory driver against the contract.

import { MemoryBlobs } from "../../src/storage/memory/blobs.ts";
import { describeBlobStore } from "./blob-store-contract.ts";

describeBlobStore({
  name: "memory",
  open: async (limits, spaceOf) => new MemoryBlobs(limits, spaceOf),
  async damage(store, { offset }) {
    const source = store.source();
    if (source.driver !== "memory") throw new Error("Expected the in-memory driver");
    new Uint8Array(source.arena)[offset + 8]! ^= 1;
  },
});
