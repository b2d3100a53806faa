// What frames are counted under in a ranking: their functions, lines, files or packages, called as google/pprof's -top calls them.

import { baseName, cleanPath, folderOf } from "./clean-path.ts";
import { FUNCTION_KEY, type Interner, LOCATION_HEAD } from "./interner.ts";
import { LINE_STRIDE } from "./location-table.ts";
import { packageName } from "./package-name.ts";

export type FrameGrouping = "function" | "line" | "file" | "package";

export interface TopGroup {
  name: string;
  /** Of lines; "" otherwise. */
  functionName: string;
  /** Of lines and files; "" otherwise. */
  file: string;
  /** Of lines; 0 otherwise. */
  line: bigint;
}

/** Texts here are byte strings until a group is made. */
interface Frame {
  functionName: string;
  file: string;
  line: bigint;
  /** The file of its mapping. */
  binary: string;
}

/** Groups by number, in the order in which frames needed them. */
export class TopGroups {
  readonly groups: TopGroup[] = [];
  readonly #grouping: FrameGrouping;
  readonly #interner: Interner;
  readonly #binaryOf: (mapping: number) => string;
  readonly #known = new Map<string, number>();
  readonly #files = new Map<number, string>();
  /** Of each location: the groups of its lines, innermost first, and those of each from the line on that is asked for. */
  readonly #ofLocation: (Int32Array | undefined)[] = [];

  /** `binaryOf`: byte string of the file of a mapping. */
  constructor(grouping: FrameGrouping, interner: Interner, binaryOf: (mapping: number) => string) {
    this.#grouping = grouping;
    this.#interner = interner;
    this.#binaryOf = binaryOf;
  }

  /** Of a location's lines, innermost first; a location without lines is one frame. */
  of(location: number): Int32Array {
    let groups = this.#ofLocation[location];
    if (groups === undefined) {
      groups = Int32Array.from(this.#framesOf(location), (frame) => this.#group(frame));
      this.#ofLocation[location] = groups;
    }
    return groups;
  }

  #framesOf(location: number): Frame[] {
    const { data, ends } = this.#interner.locations;
    const start = ends[location]!;
    const end = ends[location + 1]!;
    const mapping = data[start]!;
    const binary = mapping < 0 ? "" : this.#binaryOf(mapping);
    const frames: Frame[] = [];
    for (let at = start + LOCATION_HEAD; at < end; at += LINE_STRIDE) {
      const fn = data[at]! * FUNCTION_KEY;
      const functions = this.#interner.functions.data;
      const line = (BigInt(data[at + 2]!) << 32n) | BigInt(data[at + 1]! >>> 0);
      const functionName = this.#interner.strings.byteString(functions[fn]!);
      frames.push({ functionName, file: this.#file(functions[fn + 2]!), line, binary });
    }
    return frames.length > 0 ? frames : [{ functionName: "", file: "", line: 0n, binary }];
  }

  #file(string: number): string {
    let file = this.#files.get(string);
    if (file === undefined) {
      file = cleanPath(this.#interner.strings.byteString(string));
      this.#files.set(string, file);
    }
    return file;
  }

  #group(frame: Frame): number {
    const group = this.#groupOf(frame);
    const key = JSON.stringify([group.name, group.functionName, group.file, `${group.line}`]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, this.groups.length);
    const { name, functionName, file, line } = group;
    return this.groups.push({ name: utf8(name), functionName: utf8(functionName), file: utf8(file), line }) - 1;
  }

  #groupOf({ functionName, file, line, binary }: Frame): TopGroup {
    const unnamed = binary === "" ? "<unknown>" : `[${baseName(binary)}]`;
    switch (this.#grouping) {
      case "function":
        return { name: functionName || unnamed, functionName: "", file: "", line: 0n };
      case "file":
        return { name: file || unnamed, functionName: "", file, line: 0n };
      case "package":
        return { name: packageName(functionName) ?? folderOf(file) ?? unnamed, functionName: "", file: "", line: 0n };
      case "line": {
        const place = line === 0n ? file : `${file}:${line}`;
        const name = [functionName, place].filter((part) => part !== "").join(" ");
        return { name: name || unnamed, functionName, file, line };
      }
    }
  }
}

function utf8(byteString: string): string {
  return Buffer.from(byteString, "latin1").toString("utf8");
}
