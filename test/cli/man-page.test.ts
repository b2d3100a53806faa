// docs/profusion.1 is what the command line's tree says. That man can show it: test/e2e/man-page.test.ts.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MAN_PAGE, manPage } from "../../scripts/man-page.ts";
import { createProgram } from "../../src/cli/program.ts";

test("the man page is current; `npm run docs:man` writes it", async () => {
  expect(readFileSync(MAN_PAGE, "utf8")).toBe(manPage(await createProgram()));
});

test("has every verb, every option and every example", async () => {
  const page = manPage(await createProgram());
  for (const said of ['.SS "profusion pack now', "\\-\\-diff\\-base <selector>", "profusion merge 'cpu{", ".B 8"]) {
    expect(page).toContain(said);
  }
});
