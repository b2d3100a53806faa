// The house of docs/architecture.md, enforced: what src/ imports, and proof that the check sees a planted arrow.

import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { arrowFaults, importsOf, readSources, reexports } from "./support/arrows.ts";

const sources = readSources(fileURLToPath(new URL("..", import.meta.url)));
const imports = new Map([...sources].map(([file, source]) => [file, importsOf(file, source)]));

test("arrows between the folders of src/ point down, and the pure floors see nothing of the outside", () => {
  expect(imports.size).toBeGreaterThan(20);
  expect(arrowFaults(imports)).toEqual([]);
});

test("no file of src/ re-exports what another file holds", () => {
  expect([...sources].filter(([, source]) => reexports(source)).map(([file]) => file)).toEqual([]);
});

test("each file of src/ opens with a comment that says what lives there", () => {
  const silent = [...sources].filter(([, source]) => !/^(#!.*\n)?\/\/ \S/.test(source)).map(([file]) => file);
  expect(silent).toEqual([]);
});

describe("a planted arrow is seen", () => {
  const planted: [file: string, target: string, rule: string][] = [
    ["src/repository/find.ts", "src/http/router.ts", "arrows point down"],
    ["src/repository/find.ts", "src/server.ts", "arrows point down"],
    ["src/storage/catalog.ts", "src/repository/find.ts", "arrows point down"],
    ["src/storage/catalog.ts", "src/discovery/file.ts", "arrows point down"],
    ["src/storage/sqlite/writer-thread.ts", "src/storage/disk/segments.ts", "knows no other"],
    ["src/model/labels.ts", "src/pprof/profile.ts", "arrows point down"],
    ["src/pprof/merger.ts", "src/pack/format.ts", "arrows point down"],
    ["src/http/router.ts", "src/api/convert.ts", "arrows point down"],
    ["src/api/convert.ts", "src/compat/profefe/routes.ts", "arrows point down"],
    ["src/server.ts", "src/cli/main.ts", "arrows point down"],
    ["src/compat/profefe/routes.ts", "src/compat/autopgo/routes.ts", "knows no other"],
    ["src/compat/profefe/routes.ts", "src/storage/catalog.ts", "http, repository and model alone"],
    ["src/compat/profefe/routes.ts", "src/pprof/profile.ts", "http, repository and model alone"],
    ["src/pprof/merger.ts", "gen/profusion/v1/profile_pb.ts", "gen/ is for"],
    ["src/repository/find.ts", "gen/profusion/v1/profile_pb.ts", "gen/ is for"],
    ["src/server.ts", "gen/profusion/v1/profile_pb.ts", "gen/ is for"],
    ["src/pprof/merger.ts", "@bufbuild/protobuf", "pure"],
    ["src/pprof/merger.ts", "node:net", "pure"],
    ["src/pprof/merger.ts", "node:zlib", "pure"],
    ["src/repository/find.ts", "./test/support/random.ts", "leads out"],
    ["src/repository/find.ts", "./package.json", "leads out"],
    ["src/repository/find.ts", "node:http2", "sockets begin"],
    ["src/storage/sqlite/catalog.ts", "@bufbuild/protobuf/wire", "begin at src/api"],
    ["src/attic/old.ts", "src/model/labels.ts", "no floor"],
    ["src/model/utils.ts", "src/model/labels.ts", "named after no concept"],
  ];
  test.each(planted)("%s → %s", (file, target, rule) => {
    expect(arrowFaults(new Map([[file, [target]]])).join("\n")).toContain(rule);
  });
});

test("lawful arrows pass", () => {
  const lawful: [string, string[]][] = [
    ["src/cli/push.ts", ["src/model/time.ts", "gen/profusion/v1/profile_pb.ts", "commander", "node:fs"]],
    ["src/server.ts", ["src/storage/sqlite/catalog.ts", "src/http/listener.ts", "pino", "./package.json"]],
    ["src/api/convert.ts", ["src/repository/repository.ts", "gen/profusion/v1/profile_pb.ts", "@bufbuild/protobuf"]],
    [
      "src/compat/profefe/routes.ts",
      ["src/http/router.ts", "src/repository/repository.ts", "src/compat/profefe/times.ts"],
    ],
    [
      "src/storage/local/writer-thread.ts",
      ["src/storage/disk/segments.ts", "src/storage/sqlite/writer-requests.ts", "src/storage/thread.ts"],
    ],
    ["src/pack/build.ts", ["src/pprof/profile.ts", "src/model/labels.ts"]],
    ["src/pprof/gzip.ts", ["node:zlib"]],
  ];
  expect(arrowFaults(new Map(lawful))).toEqual([]);
});

test("importsOf() finds static, type, bare, dynamic and worker imports over several lines", () => {
  const source = [
    'import { a } from "../model/labels.ts";',
    "import type {\n  B,\n  C,\n} from './catalog.ts';",
    'import "node:net";',
    'export { d } from "./d.ts";',
    'const late = await import("../http/router.ts");',
    'new Worker(new URL("./ingest-worker.ts", import.meta.url));',
    'const text = `import { x } from "y"`;',
  ].join("\n");
  expect(importsOf("src/storage/x.ts", source)).toEqual([
    "src/model/labels.ts",
    "src/storage/catalog.ts",
    "src/storage/d.ts",
    "node:net",
    "src/http/router.ts",
    "src/storage/ingest-worker.ts",
  ]);
  expect(importsOf("src/x.ts", 'import a from "../test/a.ts";')).toEqual(["./test/a.ts"]);
});

test("reexports() tells a barrel from exports of one's own", () => {
  expect(reexports('export * from "./a.ts";')).toBe(true);
  expect(reexports('export * as a from "./a.ts";')).toBe(true);
  expect(reexports('export {\n  a,\n  b,\n} from "./a.ts";')).toBe(true);
  expect(reexports('export type { A } from "./a.ts";')).toBe(true);
  expect(reexports('import { a } from "./a.ts";\nexport function b() {}\nexport { a };')).toBe(false);
});
