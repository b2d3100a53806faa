// What of a profile tells of the person or the machine it comes from, taken out: labels, comments, folders. What the program does stays:
// functions, lines, values, build ids.

import { decodeProfile } from "./decode.ts";
import { encodeProfile } from "./encode.ts";

/** After these a path is the same on every machine: modules by their paths, and the standard library's packages. */
const SHARED_FOLDERS = ["/pkg/mod/", "/go/src/"];
/** Of a file system, or a URL that is none of Node's own modules; Go's are names of modules. */
const LOCAL = /^(?:[/~]|\.{1,2}\/|\[.*\/|(?!node:)[a-z][a-z0-9+.-]*:)/i;

/** Of the protobuf, uncompressed. Throws as decodeProfile does. */
export function scrubProfile(raw: Uint8Array): Uint8Array {
  const profile = decodeProfile(raw, { encoding: "latin1" });
  for (const sample of profile.samples) sample.labels = [];
  for (const fn of profile.functions) fn.file = scrubbedPath(fn.file);
  for (const mapping of profile.mappings) mapping.file = scrubbedPath(mapping.file);
  const nothing = { comments: [], docUrl: "", dropFrames: "", keepFrames: "" };
  return encodeProfile({ ...profile, ...nothing }, "latin1");
}

/** A path that names no folder of a machine is left; of others what is the same everywhere is, else the file's name. */
export function scrubbedPath(path: string): string {
  const slashed = path.replaceAll("\\", "/");
  if (!LOCAL.test(slashed)) return slashed;
  const plain = slashed.replace(/[?#].*$/s, "");
  for (const folder of SHARED_FOLDERS) {
    const at = plain.lastIndexOf(folder);
    if (at >= 0) return plain.slice(at + folder.length);
  }
  return plain.slice(plain.lastIndexOf("/") + 1);
}
