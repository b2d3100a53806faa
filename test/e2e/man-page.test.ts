// docs/profusion.1 as man-db's and mandoc's programs read it. Needs mandoc.

import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const PAGE = fileURLToPath(new URL("../../docs/profusion.1", import.meta.url));

test("mandoc finds no fault with it but that it has no date", () => {
  const { stdout, error } = spawnSync("mandoc", ["-Tlint", "-W", "warning", PAGE], { encoding: "utf8" });
  expect(error).toBeUndefined();
  expect(stdout.trim().split("\n")).toEqual([expect.stringContaining("missing date")]);
});

test("a reader finds verbs, options and examples in it", () => {
  const page = execFileSync("mandoc", ["-Tutf8", "-Owidth=100", PAGE], { encoding: "utf8" }).replaceAll(/.[\b]/g, "");
  for (const said of ["profusion merge [selector]", "--diff-base <selector>", "profusion list --service auth"]) {
    expect(page).toContain(said);
  }
});
