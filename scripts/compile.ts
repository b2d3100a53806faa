// `npm run compile`, and before `npm pack`: compiles src/ and gen/ into dist/, since Node strips no types below node_modules.

import { execFileSync } from "node:child_process";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
/** The entry of a thread: not an import to tsc, which leaves its ending as it is. */
const THREAD_ENTRY = /(new URL\("\.[^"]+)\.ts(", import\.meta\.url\))/g;

rmSync(join(ROOT, "dist"), { recursive: true, force: true });
execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["--project", "tsconfig.package.json"], {
  cwd: ROOT,
  stdio: "inherit",
});
for (const name of globSync("dist/src/**/*.js", { cwd: ROOT })) {
  const path = join(ROOT, name);
  const compiled = readFileSync(path, "utf8");
  const mended = compiled.replace(THREAD_ENTRY, "$1.js$2");
  if (mended !== compiled) writeFileSync(path, mended);
}
