// The simulated disk loses what was not synced, and nothing else. What is recorded on a real disk: test/e2e/crash-recorder.test.ts.

import { describe, expect, test } from "vitest";
import { Random } from "../support/random.ts";
import { SimulatedDisk } from "./replay.ts";
import type { Loss } from "./simulated-file.ts";
import type { TraceEvent } from "./trace.ts";

const ROOT = "/disk";
const PAGE = 4096;

function create(path: string, inode = 1n): TraceEvent {
  return { kind: "create", inode, path: `${ROOT}/${path}` };
}

function write(text: string, offset = 0, inode = 1n): TraceEvent {
  return { kind: "write", inode, offset, data: Buffer.from(text) };
}

let syncs = 0;
function sync(inode = 1n, failed = false): TraceEvent[] {
  syncs++;
  return [
    { kind: "sync-begin", inode, sync: syncs },
    { kind: "sync-end", sync: syncs, failed },
  ];
}

function syncFolder(path = ROOT): TraceEvent[] {
  syncs++;
  return [
    { kind: "sync-begin", inode: 99n, sync: syncs, path },
    { kind: "sync-end", sync: syncs, failed: false },
  ];
}

function crash(events: readonly TraceEvent[], loss: Loss, seed = 1): Record<string, string | undefined> {
  const disk = new SimulatedDisk(ROOT);
  for (const event of events) disk.apply(event);
  const left = [...disk.crash(loss, new Random(seed))];
  return Object.fromEntries(left.map(([path, content]) => [path, content?.toString()]));
}

/** Every outcome that 200 seeds show. */
function outcomes(events: readonly TraceEvent[]): Set<string> {
  return new Set(Array.from({ length: 200 }, (_, seed) => JSON.stringify(crash(events, "mixed", seed))));
}

describe("file content", () => {
  test("what was synced stays; what was written after it may be lost", () => {
    const events = [create("a"), ...syncFolder(), write("one"), ...sync(), write("two")];
    expect(crash(events, "all lost")).toEqual({ a: "one" });
    expect(crash(events, "all kept")).toEqual({ a: "two" });
    expect(outcomes(events)).toEqual(new Set(['{"a":"one"}', '{"a":"two"}']));
  });

  test("what was written while a sync ran is not in it", () => {
    const [begin, end] = sync() as [TraceEvent, TraceEvent];
    const events = [create("a"), ...syncFolder(), write("one"), begin, write("two"), end];
    expect(crash(events, "all lost")).toEqual({ a: "one" });
  });

  test("pages are lost one by one, and a lost page inside the size reads as zeros", () => {
    const page = (letter: string) => letter.repeat(PAGE);
    const seen = outcomes([create("a"), ...syncFolder(), write(page("x") + page("y"))]);
    const lost = "\0".repeat(PAGE);
    const shapes = ["", page("x") + page("y"), lost + page("y"), page("x") + lost, lost + lost];
    expect(seen).toEqual(new Set(shapes.map((a) => JSON.stringify({ a }))));
  });

  test("what a failed sync was to write may be lost whatever is synced later, unless it is written again", () => {
    const failed = [create("a"), ...syncFolder(), write("one"), ...sync(), write("two"), ...sync(1n, true)];
    expect(outcomes([...failed, ...sync()])).toContain('{"a":"one"}');
    expect(outcomes([...failed, write("two"), ...sync()])).toEqual(new Set(['{"a":"two"}']));
  });

  test("a cut that was not synced may come back", () => {
    const events: TraceEvent[] = [create("a"), ...syncFolder(), write("long text"), ...sync()];
    events.push({ kind: "truncate", inode: 1n, sizeBytes: 4 });
    expect(crash(events, "all lost")).toEqual({ a: "long text" });
    expect(crash([...events, ...sync()], "all lost")).toEqual({ a: "long" });
  });
});

describe("names", () => {
  const made = [create("a"), write("one"), ...sync()];

  test("a file is certain only once its folder was synced", () => {
    expect(crash(made, "all lost")).toEqual({});
    expect(crash([...made, ...syncFolder()], "all lost")).toEqual({ a: "one" });
    expect(outcomes(made)).toEqual(new Set(["{}", '{"a":"one"}']));
  });

  test("a rename happens whole or not at all", () => {
    const renamed: TraceEvent[] = [...made, ...syncFolder(), { kind: "rename", path: `${ROOT}/a`, to: `${ROOT}/b` }];
    expect(outcomes(renamed)).toEqual(new Set(['{"a":"one"}', '{"b":"one"}']));
    expect(crash([...renamed, ...syncFolder()], "all lost")).toEqual({ b: "one" });
  });

  test("a removed file may come back until its folder was synced", () => {
    const removed: TraceEvent[] = [...made, ...syncFolder(), { kind: "unlink", path: `${ROOT}/a` }];
    expect(crash(removed, "all lost")).toEqual({ a: "one" });
    expect(crash([...removed, ...syncFolder()], "all lost")).toEqual({});
  });

  test("what lies in a folder that is lost is lost", () => {
    const folder: TraceEvent = { kind: "mkdir", path: `${ROOT}/f` };
    const events = [folder, create("f/a"), write("one"), ...sync(), ...syncFolder(`${ROOT}/f`)];
    expect(crash(events, "all lost")).toEqual({});
    expect(crash([...events, ...syncFolder()], "all lost")).toEqual({ f: undefined, "f/a": "one" });
  });

  test("an inode used again is another file", () => {
    const events: TraceEvent[] = [...made, ...syncFolder(), { kind: "unlink", path: `${ROOT}/a` }, create("b")];
    expect(crash([...events, write("new"), ...sync(), ...syncFolder()], "all lost")).toEqual({ b: "new" });
  });
});
