// A repository over the real drivers in a temporary folder, for tests. Reopening it shows what survived.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS, type Limits } from "../../src/model/limits.ts";
import { createRepository, type RepositoryEvent } from "../../src/repository/create.ts";
import type { OriginalsPolicy } from "../../src/repository/packer.ts";
import type { ConfiguredPolicies } from "../../src/repository/pgo/policies.ts";
import type { Repository } from "../../src/repository/repository.ts";
import type { BlobStore } from "../../src/storage/blob-store.ts";
import type { Catalog } from "../../src/storage/catalog.ts";
import { openLocalStorage } from "../../src/storage/local/open-local-storage.ts";
import type { Space } from "../../src/storage/space.ts";

const GIB = 1024 ** 3;

export interface OpenedRepository extends AsyncDisposable {
  repository: Repository;
  catalog: Catalog;
  blobs: BlobStore;
  folder: string;
  events: RepositoryEvent[];
  /** Of the disk as the repository sees it, which tests set. */
  space: Space;
  /** The clock, which tests set. */
  clock: { nowNs: bigint };
  /** Until it is opened again. */
  close(): Promise<void>;
  /** Closes it and opens the same folder again, with what was given before but for `originals`, if that is given. */
  reopen(originals?: OriginalsPolicy): Promise<void>;
}

export async function openRepository(
  limits: Partial<Limits> = {},
  options: { originals?: OriginalsPolicy; pgoPolicies?: () => ConfiguredPolicies } = {},
): Promise<OpenedRepository> {
  const folder = await mkdtemp(join(tmpdir(), "profusion-"));
  const allLimits = { ...DEFAULT_LIMITS, ...limits };
  const clock = { nowNs: 1_790_000_000_000_000_000n };
  const events: RepositoryEvent[] = [];
  const space = { freeBytes: 100 * GIB, totalBytes: 100 * GIB };

  let policy: OriginalsPolicy = options.originals ?? "until-packed";

  async function open() {
    const stack = new AsyncDisposableStack();
    const spaceOf = () => space;
    const storage = stack.use(await openLocalStorage({ folder, limits: allLimits, report: () => {}, spaceOf }));
    const { catalog, blobs } = storage;
    const observe = (event: RepositoryEvent) => void events.push(event);
    const nowNs = () => clock.nowNs;
    const packing = { originals: policy };
    const repository = stack.use(
      createRepository({ ...options, packing, ...storage, limits: allLimits, nowNs, threads: 2, observe }),
    );
    return { stack, catalog, blobs, repository };
  }

  let parts = await open();
  return {
    get repository() {
      return parts.repository;
    },
    get catalog() {
      return parts.catalog;
    },
    get blobs() {
      return parts.blobs;
    },
    folder,
    events,
    space,
    clock,
    close: () => parts.stack.disposeAsync(),
    async reopen(originals = policy) {
      policy = originals;
      await parts.stack.disposeAsync();
      parts = await open();
    },
    async [Symbol.asyncDispose]() {
      await parts.stack.disposeAsync();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
