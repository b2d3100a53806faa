// The benchmarks' data is made by Go programs with tests of their own; they run here.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("profiles of the benchmarks are written byte for byte as Go's runtime writes them", () => {
  const output = execFileSync("go", ["test", "-count=1", "./..."], {
    cwd: join(import.meta.dirname, "../../bench/go"),
    encoding: "utf8",
  });
  expect(output).toMatch(/^ok\s+profusion\/bench\/go\/internal\/encode\s/m);
});
