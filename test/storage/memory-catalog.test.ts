import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { openMemoryCatalog } from "../../src/storage/memory/catalog.ts";
import { catalogContract } from "./catalog-contract.ts";

catalogContract("in-memory", async () => ({
  catalog: openMemoryCatalog({ limits: DEFAULT_LIMITS }),
  close: async () => {},
}));
