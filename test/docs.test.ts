// What the documents name must be there: links, and paths of this repository in backquotes.

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const documents = globSync(["*.md", "docs/**/*.md", "bench/*.md", "proto/*.md", "test/**/*.md"], { cwd: ROOT })
  .filter((path) => !path.includes("node_modules"))
  .sort();
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

describe.each(documents)("%s", (document) => {
  test("links to files that exist", () => {
    const targets = [...read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target]) => target!);
    const dead = targets.filter((target) => !existsSync(join(ROOT, dirname(document), target)));
    expect(dead).toEqual([]);
  });

  test("names files of the repository that exist", () => {
    const named = [...read(document).matchAll(/`((?:src|test|docs|proto|bench|gen|examples|\.ci)\/[\w./-]+)`/g)];
    const paths = named.map(([, path]) => path!).filter((path) => !path.includes(".cache"));
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

test("the architecture fits in 120 lines", () => {
  const path = "docs/architecture.md";
  expect(documents).toContain(relative(ROOT, join(ROOT, path)));
  expect(read(path).split("\n").length).toBeLessThanOrEqual(121);
});
