// The house's rules about who may import whom, as a check over a plain graph. test/architecture.test.ts applies it to src/.

import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

/** What each file of src/ imports: `src/…` and `gen/…`, `./…` for other files of the repository, names of packages and node: modules. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Files of src/ itself: they choose drivers and build everything. */
const COMPOSITION = "the composition root";

/** Lower is deeper. An arrow goes to the same folder or to a lower number. */
const FLOORS: Readonly<Record<string, number>> = {
  model: 0,
  pprof: 1,
  pack: 2,
  pgo: 2,
  fleet: 2,
  storage: 3,
  discovery: 3,
  repository: 4,
  http: 5,
  api: 6,
  compat: 6,
  scrape: 6,
  ui: 6,
  [COMPOSITION]: 7,
  client: 8,
  cli: 8,
};

/** A foreign protocol is deleted with its folder, so it may know little. */
const COMPAT_SEES = new Set(["http", "repository", "model"]);
const GEN_SEEN_BY = new Set(["api", "compat", "client", "cli"]);
const SOCKETS = /^node:(net|http|https|http2|tls|dgram|dns)(\/|$)/;
const PROTOBUF = /^(@bufbuild|@connectrpc|protobufjs|pprof-format)(\/|$)/;

/** The pure floors list every outside module by file: a new one is a decision. */
const PURE_SEES: Readonly<Record<string, readonly string[]>> = {
  "src/model/profile-id.ts": ["node:crypto"],
  "src/model/nearest.ts": ["fastest-levenshtein"],
  "src/model/regexp.ts": ["re2js"],
  "src/pprof/gzip.ts": ["node:zlib"],
  "src/pack/compression.ts": ["node:zlib"],
  "src/pack/digest.ts": ["node:crypto"],
};
const PURE = new Set(["model", "pprof", "pack", "pgo"]);
const BARREL_NAMES = /(^|\/)(index|utils|helpers|types)\.ts$/;

/** One sentence for each broken rule; none when the house stands. */
export function arrowFaults(imports: Imports): string[] {
  const faults: string[] = [];
  for (const [file, targets] of imports) {
    if (floorOf(file) === undefined) faults.push(`${file} lies on no floor`);
    if (BARREL_NAMES.test(file)) faults.push(`${file} is named after no concept`);
    for (const target of targets) {
      const fault = target.startsWith("src/") ? arrowFault(file, target) : outsideFault(file, target);
      if (fault) faults.push(`${file} imports ${target}: ${fault}`);
    }
  }
  return faults;
}

function arrowFault(file: string, target: string): string | undefined {
  const from = folderOf(file);
  const to = folderOf(target);
  if (from === to) {
    const strangers = systemOf(file) !== systemOf(target);
    if (from === "compat" && strangers) return "a foreign protocol knows no other";
    if (from === "storage" && strangers && isDriver(file) && isDriver(target)) return "a storage driver knows no other";
    return undefined;
  }
  const fromFloor = FLOORS[from];
  const toFloor = FLOORS[to];
  if (fromFloor === undefined || toFloor === undefined) return "one of them lies on no floor";
  if (toFloor >= fromFloor) return "arrows point down";
  if (from === "compat" && !COMPAT_SEES.has(to)) return "a foreign protocol speaks to http, repository and model alone";
  return undefined;
}

/** local/ is where drivers meet. */
function isDriver(file: string): boolean {
  return file.split("/").length > 3 && systemOf(file) !== "local";
}

function outsideFault(file: string, target: string): string | undefined {
  const from = folderOf(file);
  if (target.startsWith("gen/")) return GEN_SEEN_BY.has(from) ? undefined : "gen/ is for api, compat, client and cli";
  if (target === "./package.json" && (FLOORS[from] ?? 0) >= FLOORS[COMPOSITION]!) return undefined;
  if (target.startsWith(".")) return "it leads out of src/ and gen/";
  if (PURE.has(from)) return PURE_SEES[file]?.includes(target) ? undefined : "this floor is pure";
  const low = (FLOORS[from] ?? 0) <= FLOORS.repository!;
  if (low && SOCKETS.test(target)) return "sockets begin at src/http";
  if (low && PROTOBUF.test(target)) return "protobuf-es and Connect begin at src/api";
  return undefined;
}

function floorOf(file: string): number | undefined {
  return FLOORS[folderOf(file)];
}

/** `src/compat/profefe/routes.ts` → `compat`. */
function folderOf(file: string): string {
  const [, folder = "", ...rest] = file.split("/");
  return rest.length === 0 ? COMPOSITION : folder;
}

function systemOf(file: string): string {
  return file.split("/")[2] ?? "";
}

const FROM = /(?:^|\n)[ \t]*(?:import|export)\b[^;"']*?\bfrom\s*["']([^"']+)["']/g;
const BARE = /(?:^|\n)[ \t]*import\s*["']([^"']+)["']/g;
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']/g;
/** A worker's entry is an arrow too. */
const ENTRY = /new URL\(\s*["'](\.[^"']+\.ts)["']\s*,\s*import\.meta\.url/g;

/** The import targets of one source text, as `Imports` wants them. */
export function importsOf(file: string, source: string): string[] {
  const found = [FROM, BARE, DYNAMIC, ENTRY].flatMap((pattern) =>
    [...source.matchAll(pattern)].map((match) => match[1]!),
  );
  return found.map((target) => {
    if (!target.startsWith(".")) return target;
    const path = posix.join(posix.dirname(file), target);
    return /^(src|gen)\//.test(path) ? path : `./${path}`;
  });
}

/** Re-exports make a barrel: the path of an import must lead to the code. */
export function reexports(source: string): boolean {
  return /(?:^|\n)[ \t]*export\s+(?:type\s+)?(?:\*|\{[^}]*\})\s*(?:as\s+\w+\s*)?(?:\s*)from\b/.test(source);
}

/** Every .ts file below `root`/src with its text. */
export function readSources(root: string): Map<string, string> {
  const sources = new Map<string, string>();
  for (const entry of readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const path = join(entry.parentPath, entry.name);
    sources.set(
      posix.join(
        ...path
          .slice(root.length)
          .split(/[\\/]+/)
          .filter(Boolean),
      ),
      readFileSync(path, "utf8"),
    );
  }
  return sources;
}
