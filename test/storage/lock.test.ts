// The lock on the data folder, against real second processes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFolder } from "../../src/storage/disk/lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "profusion-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A process that has the lock when this resolves. */
async function holder() {
  const lockModule = new URL("../../src/storage/disk/lock.ts", import.meta.url).href;
  const program = `
    const { lockFolder } = await import(${JSON.stringify(lockModule)});
    globalThis.held = lockFolder(${JSON.stringify(folder)});
    console.log("held");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

test("a second process is refused with the id of the first, and gets the folder as soon as that is killed", async () => {
  const first = await holder();
  expect(() => lockFolder(folder)).toThrow(
    expect.objectContaining({
      kind: "unavailable",
      message: expect.stringContaining(`process ${first.pid} has it open`),
    }),
  );
  first.kill("SIGKILL");
  await once(first, "exit");
  lockFolder(folder)[Symbol.dispose]();
});

test("one process gets it once, and again after it gave it back", () => {
  const first = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(`process ${process.pid} has it open`);
  first[Symbol.dispose]();
  lockFolder(folder)[Symbol.dispose]();
});

test("a folder that cannot be locked is refused as unavailable", () => {
  expect(() => lockFolder(join(folder, "absent"))).toThrow(expect.objectContaining({ kind: "unavailable" }));
});
