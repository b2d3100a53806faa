import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CONTRACT_PAGE, contractReference } from "../scripts/contract-reference.ts";

const page = readFileSync(CONTRACT_PAGE, "utf8");

test("docs/contract.md is what the .proto files say: npm run docs:contract writes it anew", () => {
  expect(page).toBe(contractReference());
});

test("its links lead to headings of the page", () => {
  const headings = new Set(
    [...page.matchAll(/^#+ (.+)$/gm)].map(
      ([, name]) => `#${name!.toLowerCase().replaceAll(".", "").replaceAll(" ", "-")}`,
    ),
  );
  const links = [...page.matchAll(/\]\((#[^)]+)\)/g)].map(([, link]) => link!);
  expect(links.length).toBeGreaterThan(50);
  expect(links.filter((link) => !headings.has(link))).toEqual([]);
});

test("every row of a table says something", () => {
  expect(page.split("\n").filter((line) => /^\| `/.test(line) && /\|\s*\|$/.test(line))).toEqual([]);
});
