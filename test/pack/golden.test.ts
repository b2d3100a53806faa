// Packs of this version that were written once are read for ever: committed ones, with what they hold. UPDATE_GOLDEN=1 writes them
// anew, which only a new version of the format is a reason for.

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mergeSets } from "../support/merge-digests.ts";
import { buildProfile } from "../support/profile-builder.ts";
import { byShape, packOf } from "./packing.ts";
import { answersOf, type PackAnswers } from "./reading.ts";
import { KINDS, sectionsOf } from "./sections.ts";

const FOLDER = new URL("./golden/", import.meta.url);
const ANSWERS = new URL("answers.json", FOLDER);

/** Name → profiles. Each says something that the others do not. */
function subjects(): Map<string, Uint8Array[]> {
  const sets = new Map(mergeSets());
  const firstShape = (raws: Uint8Array[]) => byShape(raws)[0]!.map((nth) => raws[nth]!);
  const repeated = (raws: Uint8Array[], times: number) => Array.from({ length: times }, () => raws).flat();
  return new Map([
    ["go-cpu", sets.get("recorded go-cpu")!],
    ["go-heap", sets.get("recorded go-heap")!],
    ["go-mutex", sets.get("recorded go-mutex")!],
    ["go-goroutine", sets.get("recorded go-goroutine")!],
    ["node-cpu", sets.get("recorded node-cpu")!],
    ["generated", firstShape(sets.get("seed 9")!)],
    ["extremes", firstShape(sets.get("seed 21")!)],
    ["totals", repeated(firstShape(sets.get("seed 12")!), 12)],
    ["legacy", [Buffer.from("goroutine profile: total 3\n2 @ 0x1 0x2\n1 @ 0x2\n")]],
    ["empty", [buildProfile({ samples: [] })]],
  ]);
}

function packed(name: string, raws: readonly Uint8Array[]): Uint8Array {
  if (name !== "legacy") return packOf(raws);
  return packOf(
    raws,
    {},
    { columns: [{ type: "goroutine", unit: "count" }], periodType: { type: "goroutine", unit: "count" } },
  );
}

if (process.env.UPDATE_GOLDEN) {
  const answers: Record<string, PackAnswers> = {};
  for (const [name, raws] of subjects()) {
    const bytes = packed(name, raws);
    writeFileSync(new URL(`${name}.pack`, FOLDER), bytes);
    answers[name] = answersOf(bytes);
  }
  writeFileSync(ANSWERS, `${JSON.stringify(answers, null, 1)}\n`);
}

test("committed packs answer as they did when they were written", () => {
  const expected = JSON.parse(readFileSync(ANSWERS, "utf8")) as Record<string, PackAnswers>;
  expect(Object.keys(expected)).toEqual([...subjects().keys()]);
  for (const [name, answers] of Object.entries(expected)) {
    expect(answersOf(readFileSync(new URL(`${name}.pack`, FOLDER))), name).toEqual(answers);
  }
});

test("the builder of today writes the same sections", () => {
  for (const [name, raws] of subjects()) {
    const committed = sectionsOf(readFileSync(new URL(`${name}.pack`, FOLDER)));
    const differing = sectionsOf(packed(name, raws)).filter(({ kind, part, bytes }) => {
      const other = committed.find((section) => section.kind === kind && section.part === part);
      return other === undefined || Buffer.compare(other.bytes, bytes) !== 0;
    });
    expect(
      differing.map(({ kind, part }) => `${kind} ${part}`),
      name,
    ).toEqual([]);
  }
});

test("the committed packs have every kind of section", () => {
  const kinds = [...subjects().keys()].flatMap((name) => sectionsOf(readFileSync(new URL(`${name}.pack`, FOLDER))));
  expect([...new Set(kinds.map(({ kind }) => kind))].sort()).toEqual([...KINDS].sort());
});
