// Which files the arguments of `push` name.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listSources, type Source } from "../../../src/cli/push/sources.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-sources-"));
  for (const path of ["b/2.pb", "b/1.pb", "b/.hidden", "b/.git/x.pb", "a/deep/3.pb", "[odd].pb", "top.pb"]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), path);
  }
  mkdirSync(join(folder, "empty"));
  symlinkSync(join(folder, "top.pb"), join(folder, "b/linked.pb"));
  symlinkSync(folder, join(folder, "b/circle"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const list = async (...args: string[]) =>
  (await listSources(args.map((arg) => (arg === "-" || arg.includes("://") ? arg : join(folder, arg))))).map(tell);
const tell = (source: Source) =>
  source.kind === "nothing"
    ? `${source.name.slice(folder.length)}: ${source.failure.message}`
    : `${source.kind} ${source.name.replace(folder, "")}`;

test("a folder is all files below it, in order of their names, but hidden ones; links to folders are not followed", async () => {
  expect(await list("b")).toEqual(["file /b/1.pb", "file /b/2.pb", "file /b/linked.pb"]);
  expect(await list("a", "b/2.pb")).toEqual(["file /a/deep/3.pb", "file /b/2.pb"]);
});

test("a glob that the shell has left is expanded, and what has such a name is taken by its name", async () => {
  expect(await list("*/*.pb")).toEqual(["file /b/1.pb", "file /b/2.pb", "file /b/linked.pb"]);
  expect(await list("{a,b}/**/[13].pb")).toEqual(["file /a/deep/3.pb", "file /b/1.pb"]);
  expect(await list("[odd].pb")).toEqual(["file /[odd].pb"]);
});

test("a file that several arguments name is one", async () => {
  expect(await list("b/1.pb", "b", "b/../b/1.pb", "-", "-")).toEqual([
    "file /b/1.pb",
    "file /b/2.pb",
    "file /b/linked.pb",
    "stdin -",
  ]);
});

test("what leads to no file is told; a file that is not there is told when it is read", async () => {
  expect(await list("empty", "x*.pb", "absent.pb")).toEqual([
    "/empty: No file is in this folder",
    "/x*.pb: No file matches",
    "file /absent.pb",
  ]);
});

test("a file is known by its absolute path, and named as it was written", async () => {
  const [source] = await listSources(["test/testdata/../testdata/README.md"]);
  expect(source).toMatchObject({
    name: "test/testdata/../testdata/README.md",
    path: resolve("test/testdata/README.md"),
  });
});

test("patterns see the path below the folder that was named, and the whole path of a file", async () => {
  const paths = async (arg: string) =>
    (await listSources([join(folder, arg)])).map((source) => source.kind === "file" && source.patternPath);
  expect(await paths("a")).toEqual(["deep/3.pb"]);
  expect(await paths("a/deep/3.pb")).toEqual([join(folder, "a/deep/3.pb")]);
});

test("URLs are those of running programs, and their passwords are not shown", async () => {
  expect(await list("http://me:secret@10.0.0.7:6060/debug/pprof/heap")).toEqual([
    "url http://me:xxxxx@10.0.0.7:6060/debug/pprof/heap",
  ]);
});
