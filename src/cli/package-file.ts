// Where files of the package lie that are no code: found by its name, for compiled code lies deeper than its source.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** `path` is from the package's root, as in `package.json`. */
export function packageFile(path: string): string {
  const manifest = createRequire(import.meta.url).resolve("profusion/package.json");
  return join(dirname(manifest), path);
}
