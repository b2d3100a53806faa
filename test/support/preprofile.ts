// Asks `go tool preprofile`, the Go compiler's own reader of profiles, what it makes of them, and keeps digests of its answers so that `npm test`
// needs no Go. Run as a program (needs Go 1.26) it writes them anew.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { PgoRefusal } from "../../src/pgo/edges.ts";
import { generateCpuProfile } from "./pgo-generator.ts";

const FILE = new URL("../testdata/oracle/preprofile-digests.json", import.meta.url);
const FOLDERS = ["recorded", "written"];
const GENERATED = 60;

/** Name of a profile → SHA-256 of what the tool prints, or why it refuses it. */
export type PreprofileDigests = Record<string, string>;

export function readPreprofileDigests(): PreprofileDigests {
  return JSON.parse(readFileSync(FILE, "utf8")) as PreprofileDigests;
}

/** Profiles of which digests are kept, by name, uncompressed. */
export function* preprofiled(): Generator<[name: string, raw: Uint8Array]> {
  for (const folder of FOLDERS) {
    const path = fileURLToPath(new URL(`../testdata/${folder}/`, import.meta.url));
    const names = readdirSync(path).filter((name) => name.endsWith(".pb.gz"));
    for (const name of names.sort()) yield [`${folder}/${name}`, gunzipSync(readFileSync(join(path, name)))];
  }
  for (let seed = 1; seed <= GENERATED; seed++) yield [`seed ${seed}`, generateCpuProfile(seed)];
}

export function digestOf(text: Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

const REFUSALS: Record<PgoRefusal, string> = {
  "no-column": "does not contain a sample index",
  "no-start-line": "missing Function.start_line",
  "unreadable-name": "(the tool takes it; the compiler does not)",
};

/** What the tool's message means; the message where it means something else. */
export function refusalOf(message: string): string {
  return Object.entries(REFUSALS).find(([, words]) => message.includes(words))?.[0] ?? message;
}

/** The tool, ready to be asked. */
export class Preprofile implements Disposable {
  readonly #program = execFileSync("go", ["tool", "-n", "preprofile"], { encoding: "utf8" }).trim();
  readonly #folder = mkdtempSync(join(tmpdir(), "profusion-preprofile-"));

  constructor() {
    // `-n` only names the program where it is not there yet; asking it once makes it.
    execFileSync("go", ["tool", "preprofile", "-V"]);
  }

  /** What it prints of a profile; a text where it refuses: its message. */
  ask(profile: Uint8Array): Buffer | string {
    const path = join(this.#folder, "in.pgo");
    writeFileSync(path, profile);
    const { status, stdout, stderr } = spawnSync(this.#program, ["-i", path], { maxBuffer: 1 << 28 });
    return status === 0 ? stdout : stderr.toString();
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

export function askPreprofileDigests(tool: Preprofile): PreprofileDigests {
  const digests: PreprofileDigests = {};
  for (const [name, raw] of preprofiled()) {
    const answer = tool.ask(raw);
    digests[name] = typeof answer === "string" ? refusalOf(answer) : digestOf(answer);
  }
  return digests;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  using tool = new Preprofile();
  writeFileSync(FILE, `${JSON.stringify(askPreprofileDigests(tool), null, 1)}\n`);
}
