// What `npm ci` needs on a machine with nothing but Node and npm, of any platform; and that the package says one thing everywhere.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

interface LockEntry {
  version?: string;
  resolved?: string;
  optional?: boolean;
  gypfile?: boolean;
  bin?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const read = (path: string) => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), "utf8"));
const manifest = read("package.json") as Required<Omit<LockEntry, "gypfile">>;
const { packages } = read("package-lock.json") as { packages: Record<string, LockEntry> };

describe("package-lock.json", () => {
  test("says the same of this package as package.json", () => {
    const { bin, dependencies, devDependencies } = packages[""]!;
    expect({ bin, dependencies, devDependencies }).toEqual({
      bin: manifest.bin,
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
    });
  });

  test("has the optional packages of every platform, not only of the one where it was written", () => {
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    const locked = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, "")));
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });

  // npm reads only the lock before it builds, and would compile what comes compiled. npm install drops the line: put it in again.
  test('says "gypfile": false of better-sqlite3, which brings its binaries', () => {
    expect(packages["node_modules/better-sqlite3"]?.gypfile).toBe(false);
  });

  test("names no registry", () => {
    expect(Object.keys(packages).filter((path) => packages[path]!.resolved !== undefined)).toEqual([]);
  });
});

test("every dependency is pinned to one version, and docs/decisions/dependencies.md says why it is there", () => {
  const reasons = readFileSync(new URL("../docs/decisions/dependencies.md", import.meta.url), "utf8");
  const told = [...reasons.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  const all = { ...manifest.dependencies, ...manifest.devDependencies };
  expect(told.sort()).toEqual(Object.keys(all).sort());
  for (const [name, version] of Object.entries(all)) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
});
