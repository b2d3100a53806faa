// The SQLite driver: the shared contract. What only it promises stands in the other sqlite-*.test.ts files.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { openSqliteCatalog } from "../../src/storage/sqlite/catalog.ts";
import { catalogContract } from "./catalog-contract.ts";

catalogContract("SQLite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "profusion-catalog-"));
  const catalog = await openSqliteCatalog({ folder, limits: DEFAULT_LIMITS });
  const close = async () => {
    await catalog[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  };
  return { catalog, close };
});
