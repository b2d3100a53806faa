// A folder with all above it, and what is said where there can be none.

import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder } from "../../src/storage/disk/make-folder.ts";

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "profusion-folder-"));
});
afterAll(() => rmSync(base, { recursive: true }));

test("makes what is absent, the outermost first, and says so; what is there stays", () => {
  const [a, b] = [join(base, "a"), join(base, "a/b")];
  expect(makeFolder(b, 0o700)).toEqual([a, b]);
  expect(statSync(b).mode & 0o777).toBe(0o700);
  expect(makeFolder(relative(process.cwd(), b))).toEqual([]);
  expect(makeFolder("/")).toEqual([]);
});

test("throws where a file is in the way, or at its place", () => {
  writeFileSync(join(base, "file"), "");
  expect(() => makeFolder(join(base, "file"))).toThrow("EEXIST");
  expect(() => makeFolder(join(base, "file/below"))).toThrow("ENOTDIR");
});

test.runIf(process.platform === "linux")("throws where a file system takes none, in place of trying for ever", () => {
  expect(() => makeFolder("/proc/profusion/below")).toThrow("ENOENT");
});
