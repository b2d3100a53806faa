// A disk that fills up: uploads answer 507, reads and deletions go on, and uploads work again once space is freed. On a small disk in memory
// where this user may mount one, and on any Linux with gcc by calls that the recorder lets fail.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openHarness } from "../crash/harness.ts";
import {
  broken,
  type Promised,
  packNow,
  remove,
  serverArguments,
  upload,
  whenServing,
} from "../crash/server-process.ts";
import { Random } from "../support/random.ts";

const MIB = 1024 * 1024;
const NO_RESERVE = { diskReserveMinBytes: 0, diskReserveMaxBytes: 0, segmentBytes: 200_000 };

const mounted = mountSmallDisk();
afterAll(() => {
  if (!mounted) return;
  execFileSync("umount", [mounted]);
  rmSync(mounted, { recursive: true });
});

/** A disk of 160 MiB, or undefined where this user may not mount. */
function mountSmallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "profusion-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=160m", "tmpfs", folder], { stdio: "ignore" });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

async function store(url: string, random: Random, promised: Promised, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const { id, digest, error } = await upload(url, random);
    if (id === undefined) throw new Error(`An upload was refused: ${error}`);
    promised.set(id, digest);
  }
}

/** Downloads, a list and a merge. */
async function readsGoOn(url: string, promised: Promised): Promise<void> {
  expect(await broken(url, promised)).toEqual([]);
  for (const path of [
    "services",
    "profiles?service=crash-1&type=cpu&from=2000-01-01T00:00:00&to=2100-01-01T00:00:00",
  ]) {
    const response = await fetch(`${url}/api/0/${path}`);
    expect(response.status, await response.text()).toBe(200);
  }
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
}

async function expectFull(url: string, random: Random): Promise<void> {
  const { status, error } = await upload(url, random);
  expect([status, error]).toEqual([507, expect.stringContaining("disk is full")]);
}

async function withServer(
  dataFolder: string,
  limits: Record<string, number>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, serverArguments(dataFolder, limits), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    await use((await whenServing(child)).url);
  } finally {
    child.kill("SIGTERM");
    await exited;
  }
}

/** Takes all but `leftBytes` of the disk. */
function fill(path: string, leftBytes: number): void {
  const file = openSync(path, "w");
  try {
    for (let chunk = MIB; chunk >= 1; chunk = Math.floor(chunk / 4)) {
      while (statfsSync(mounted!).bavail * statfsSync(mounted!).bsize - chunk >= leftBytes)
        writeSync(file, Buffer.alloc(chunk));
      if (chunk <= 4096) break;
    }
  } finally {
    closeSync(file);
  }
}

// Not declared where it cannot run: the recorder's faults below show the same.
if (mounted) {
  describe("a small disk", () => {
    test("below the reserve uploads answer 507 and everything else goes on", async () => {
      const random = new Random(1);
      const promised: Promised = new Map();
      await withServer(join(mounted!, "reserve"), {}, async (url) => {
        await store(url, random, promised, 20);
        fill(join(mounted!, "ballast"), 60 * MIB);
        await expectFull(url, random);
        await readsGoOn(url, promised);
        const [id] = promised.keys();
        expect(await remove(url, id!)).toBe(200);
        promised.delete(id!);
        rmSync(join(mounted!, "ballast"));
        await store(url, random, promised, 20);
        await readsGoOn(url, promised);
      });
      rmSync(join(mounted!, "reserve"), { recursive: true });
    });

    test("without a byte left uploads answer 507, also after a restart, and nothing acknowledged is harmed", async () => {
      const random = new Random(2);
      const promised: Promised = new Map();
      const dataFolder = join(mounted!, "full");
      await withServer(dataFolder, NO_RESERVE, async (url) => {
        await store(url, random, promised, 20);
        fill(join(mounted!, "ballast"), 0);
        for (let at = 0; at < 100; at++) {
          // What still fits into pages that the files have is taken.
          const { id, digest, status } = await upload(url, random);
          if (id !== undefined) promised.set(id, digest);
          else expect(status).toBe(507);
        }
        await expectFull(url, random);
        await readsGoOn(url, promised);
      });
      await withServer(dataFolder, NO_RESERVE, async (url) => {
        await readsGoOn(url, promised);
        rmSync(join(mounted!, "ballast"));
        await store(url, random, promised, 20);
        await readsGoOn(url, promised);
      });
      rmSync(dataFolder, { recursive: true });
    });
  });
}

/** Which calls fail with which error: a full disk, and one that fails. errno 28 is ENOSPC, 5 is EIO. */
const FAULTS: [name: string, calls: string, errno: number, statuses: number[]][] = [
  ["is full", "wo", 28, [507]],
  ["is full where the data is synced", "s", 28, [503, 507]],
  ["fails to write", "w", 5, [503]],
  ["fails to sync", "s", 5, [503]],
];

test.each(FAULTS)(
  "uploads to a disk that %s are refused one by one, and work again afterwards",
  async (_, calls, errno, statuses) => {
    await using harness = await openHarness();
    const promised: Promised = new Map();
    const random = new Random(errno);
    const { root } = await harness.record({
      command: process.execPath,
      arguments: (folder) => serverArguments(join(folder, "data"), NO_RESERVE),
      async drive(child, faults) {
        const { url } = await whenServing(child);
        await store(url, random, promised, 10);
        // From the first call on, then from each later one: every step of an upload fails once.
        for (let from = 0; from < 12; from++) {
          writeFileSync(faults.path, `${calls} ${errno} ${from} 1000000`);
          const seen = new Set<number>();
          while (!statuses.some((status) => seen.has(status))) {
            const { id, digest, status, error } = await upload(url, random);
            seen.add(status);
            if (id !== undefined) promised.set(id, digest);
            else expect(statuses, error).toContain(status);
          }
          await readsGoOn(url, promised);
          rmSync(faults.path);
          await store(url, random, promised, 5);
        }
      },
    });
    await withServer(join(root, "data"), NO_RESERVE, (url) => readsGoOn(url, promised));
  },
);

test.each([
  ["is full", "wo", 28],
  ["is full where the data is synced", "s", 28],
  ["fails to write", "w", 5],
])(
  "packing to a disk that %s fails and harms nothing, whichever step it is, and works again afterwards",
  async (_, calls, errno) => {
    await using harness = await openHarness();
    const promised: Promised = new Map();
    const random = new Random(errno);
    const { root } = await harness.record({
      command: process.execPath,
      arguments: (folder) => serverArguments(join(folder, "data"), NO_RESERVE),
      async drive(child, faults) {
        const { url } = await whenServing(child);
        let failed = 0;
        for (let from = 0; from < 24; from += 2) {
          await store(url, random, promised, 5);
          writeFileSync(faults.path, `${calls} ${errno} ${from} 1000000`);
          if ((await packNow(url)) !== undefined) failed++;
          await readsGoOn(url, promised);
          rmSync(faults.path);
          expect(await packNow(url)).toBeUndefined();
          await readsGoOn(url, promised);
        }
        expect(failed).toBeGreaterThan(5);
      },
    });
    await withServer(join(root, "data"), NO_RESERVE, (url) => readsGoOn(url, promised));
  },
);
