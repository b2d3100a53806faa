// What is taken out of a profile that anybody may send, and what stays: all of what the compiler reads.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { preprofileText } from "../../src/pgo/edges.ts";
import { PLAIN_PGO_OPTIONS, preparedEdges } from "../../src/pgo/prepare.ts";
import { decodeProfile } from "../../src/pprof/decode.ts";
import { scrubbedPath, scrubProfile } from "../../src/pprof/scrub.ts";
import { buildProfile } from "../support/profile-builder.ts";

test.each([
  ["/home/alice/secret project/main.go", "main.go"],
  [
    "/home/alice/go/pkg/mod/github.com/google/pprof@v0.1.0/profile/merge.go",
    "github.com/google/pprof@v0.1.0/profile/merge.go",
  ],
  ["/usr/local/go/src/runtime/proc.go", "runtime/proc.go"],
  ["C:\\Users\\alice\\app\\main.go", "main.go"],
  ["c:/Users/alice/go/src/example.org/app/main.go", "example.org/app/main.go"],
  ["../alice/main.go", "main.go"],
  ["/tmp/go-build1/b001/exe/app", "app"],
  ["runtime/proc.go", "runtime/proc.go"],
  ["[vdso]", "[vdso]"],
  ["file:///home/alice/app/index.js", "index.js"],
  ["http://alice.internal/x.js?token=a/b#c", "x.js"],
  ["webpack:///./src/alice/x.ts", "x.ts"],
  ["node:internal/process/task_queues", "node:internal/process/task_queues"],
  ["~/alice/x.go", "x.go"],
  ["[/home/alice/x]", "x]"],
  ["github.com/alice/app/main.go", "github.com/alice/app/main.go"],
  ["", ""],
])("the path %s becomes %s", (path, scrubbed) => {
  expect(scrubbedPath(path)).toBe(scrubbed);
});

test("labels, comments and folders go; functions, lines, values, times and build ids stay", () => {
  const secret = "alice";
  const mapping = { file: `/home/${secret}/app`, buildId: "abc", start: 1n, limit: 2n };
  const frame = {
    mapping,
    lines: [{ name: "main.work", file: `/home/${secret}/app/main.go`, line: 12n, startLine: 10n }],
  };
  const raw = buildProfile({
    timeNs: 17n,
    samples: [{ stack: [frame], values: [3n, 4n], labels: [["user", secret]], numbers: [["id", 5n]] }],
    comments: [`by ${secret}`],
    docUrl: `https://${secret}.example`,
    dropFrames: secret,
  });
  const scrubbed = scrubProfile(raw);
  expect(Buffer.from(scrubbed).includes(secret)).toBe(false);
  const { samples, functions, mappings, locations, timeNs } = decodeProfile(scrubbed);
  expect(timeNs).toBe(17n);
  expect(samples).toMatchObject([{ values: [3n, 4n], labels: [] }]);
  expect(functions).toMatchObject([{ name: "main.work", systemName: "main.work", file: "main.go", startLine: 10n }]);
  expect(locations).toMatchObject([{ lines: [{ line: 12n }] }]);
  expect(mappings).toMatchObject([{ file: "app", buildId: "abc" }]);
});

test("of a profile of Go's runtime the compiler gets the same edges", () => {
  const raw = gunzipSync(readFileSync(new URL("../testdata/recorded/go-cpu-1.pb.gz", import.meta.url)));
  const edges = (bytes: Uint8Array) => preprofileText(preparedEdges(bytes, PLAIN_PGO_OPTIONS, DEFAULT_LIMITS));
  expect(edges(raw).length).toBeGreaterThan(1000);
  expect(edges(scrubProfile(raw))).toBe(edges(raw));
});
