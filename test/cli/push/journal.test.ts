// What a journal keeps from run to run.

import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Journal } from "../../../src/cli/push/journal.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-journal-"));
  vi.stubEnv("XDG_STATE_HOME", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const IDENTITY = { server: "http://a", service: "b" };
const stamp = (path: string, sizeBytes = 5n, changedNs = 7n) => ({ path, sizeBytes, changedNs });
const onlyFile = () => join(folder, "profusion/push", readdirSync(join(folder, "profusion/push"))[0]!);

test("a file is known again by path, size and time of change, for the same push alone", () => {
  Journal.open("push", IDENTITY, true).add([
    [stamp("/a b\n"), "id1"],
    [stamp("/b"), "id2"],
  ]);
  const again = Journal.open("push", IDENTITY, true);
  expect([stamp("/a b\n"), stamp("/b"), stamp("/b", 6n), stamp("/b", 5n, 8n)].map((each) => again.idOf(each))).toEqual([
    "id1",
    "id2",
    undefined,
    undefined,
  ]);
  expect(Journal.open("push", { ...IDENTITY, service: "c" }, true).idOf(stamp("/b"))).toBeUndefined();
  expect(Journal.open("push", IDENTITY, false).idOf(stamp("/b"))).toBeUndefined();
  expect(Journal.open("push", IDENTITY, true).idOf(stamp("/b"))).toBeUndefined();
});

test("a last line that was cut short is forgotten, wherever it was cut, and does not spoil the next one", () => {
  Journal.open("push", IDENTITY, true).add([[stamp("/first"), "id1"]]);
  const whole = readFileSync(onlyFile());
  Journal.open("push", IDENTITY, true).add([[stamp("/größe"), "id2"]]);
  const both = readFileSync(onlyFile());
  for (let length = whole.length; length < both.length; length++) {
    truncateSync(onlyFile());
    appendFileSync(onlyFile(), both.subarray(0, length));
    const cut = Journal.open("push", IDENTITY, true);
    expect([cut.idOf(stamp("/first")), cut.idOf(stamp("/größe")), cut.fault]).toEqual(["id1", undefined, undefined]);
    cut.add([[stamp("/third"), "id3"]]);
    const next = Journal.open("push", IDENTITY, true);
    expect([next.idOf(stamp("/first")), next.idOf(stamp("/third")), next.fault]).toEqual(["id1", "id3", undefined]);
  }
});

test("nothing is written before something is acknowledged, and remove() leaves nothing", () => {
  const journal = Journal.open("push", IDENTITY, true);
  journal.add([]);
  expect(readdirSync(folder)).toEqual([]);
  journal.add([[stamp("/a"), "id"]]);
  journal.remove();
  expect(readdirSync(join(folder, "profusion/push"))).toEqual([]);
});
