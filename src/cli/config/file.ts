// The configuration file as a source of settings: YAML, every word of it with its line and column. All that is wrong is told at once.

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { didYouMean } from "../../model/nearest.ts";
import { quote } from "../../model/text.ts";
import { yamlFault } from "../../yaml-fault.ts";
import { systemFault } from "../system-fault.ts";
import type { Setting } from "./setting.ts";
import { LIMITS_SECTION, SETTINGS, snakeCase } from "./settings.ts";
import type { Fault, Source, Word, Written } from "./written.ts";

/** Every setting with a paragraph on each is a tenth of it. */
const FILE_BYTES_MAX = 256 * 1024;

export function readConfigurationFile(path: string): Source {
  const text = readText(path);
  if (typeof text === "string") return new FileReader(path, text).read();
  return { written: [], faults: [text] };
}

function readText(path: string): string | Fault {
  const fault = (reason: string) => ({ place: path, message: `Cannot read the configuration file: ${reason}` });
  try {
    const bytes = readFileSync(path);
    if (bytes.length > FILE_BYTES_MAX) {
      return fault(`it has ${bytes.length} bytes, at most ${FILE_BYTES_MAX} are allowed`);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof Error && "syscall" in cause) return fault(systemFault(cause));
    if (cause instanceof TypeError) return fault("it is not UTF-8");
    throw cause;
  }
}

class FileReader {
  readonly #file: string;
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #written: Written[] = [];
  readonly #faults: Fault[] = [];

  constructor(path: string, text: string) {
    this.#file = path;
    this.#text = text;
  }

  read(): Source {
    const { errors, warnings, contents } = parseDocument(this.#text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      // Looked for below: the parser compares each key with every other.
      uniqueKeys: false,
    });
    for (const error of [...errors, ...warnings]) this.#syntaxFault(error);
    // What the parser made of a broken text would give faults that nobody made.
    if (this.#faults.length === 0 && !isNone(contents)) {
      if (isMap(contents)) this.#section(contents, "");
      else this.#fault(contents, "Cannot read the file: it must consist of lines such as log_level: info");
    }
    return { written: this.#written, faults: this.#faults };
  }

  #section(map: YAMLMap, prefix: string): void {
    const seen = new Set<string>();
    for (const { key, value } of map.items as Pair[]) {
      const name = isScalar(key) ? wordOf(key) : "";
      const setting = SETTINGS.find((each) => each.key === prefix + name);
      const isRepeated = seen.size === seen.add(name).size;
      if (isRepeated) this.#fault(key, `Cannot set ${quote(prefix + name)} twice: leave one of the lines`);
      else if (setting) this.#setting(setting, key, value);
      else if (prefix + name !== LIMITS_SECTION) this.#unknown(key, name, prefix);
      else if (isMap(value)) this.#section(value, `${LIMITS_SECTION}.`);
      else if (!isNone(value))
        this.#fault(value, `Cannot read limits: it holds lines such as labels: 64, each indented`);
    }
  }

  #setting(setting: Setting, key: unknown, value: unknown): void {
    const words: Word[] = [];
    for (const item of isSeq(value) && setting.isList ? value.items : [value]) {
      if (isScalar(item) && !isNone(item)) {
        const word = setting.kind.isPath ? this.#pathOf(setting, item) : wordOf(item);
        if (word !== undefined) words.push({ text: word, place: this.#place(item) });
      } else {
        const what = isNone(item) ? "nothing" : isAlias(item) ? "an alias" : isSeq(item) ? "a list" : "a section";
        const wanted = setting.isList ? "a word, or a list of words, belongs here" : "one word belongs here";
        this.#fault(
          isNone(item) ? key : item,
          `Cannot set ${setting.key} to ${what}: ${wanted} (${setting.kind.allowed})`,
        );
      }
    }
    if (words.length > 0) this.#written.push({ setting, words, place: this.#place(key) });
    else if (isSeq(value) && value.items.length === 0)
      this.#fault(value, `Cannot set ${setting.key} to an empty list: leave the line out for the default`);
  }

  /** From the folder of the file. What the setting's reader refuses is left as it is, for its message. */
  #pathOf({ key }: Setting, item: Scalar): string | undefined {
    const { value } = item;
    if (typeof value === "string") return /^(~|$)|\0/.test(value) ? value : resolve(dirname(this.#file), value);
    this.#fault(item, `Cannot set ${key} to ${wordOf(item)}: YAML takes it for a ${typeof value}, write it in quotes`);
    return undefined;
  }

  #unknown(key: unknown, name: string, prefix: string): void {
    const here = SETTINGS.filter((each) => each.key.startsWith(prefix)).map((each) => each.key.slice(prefix.length));
    const snaked = snakeCase(name);
    // Also what stands one section too high or too low: its last part is what people remember.
    const elsewhere = SETTINGS.find((each) => each.key.split(".").at(-1) === snaked);
    const hint = elsewhere ? `; did you mean ${elsewhere.key}?` : didYouMean(snaked, [...here, LIMITS_SECTION]);
    this.#fault(key, `Cannot set ${quote(prefix + name)}: no setting has this name${hint}`);
  }

  #syntaxFault(error: YAMLError): void {
    this.#faults.push({ place: this.#placeAt(error.pos[0]), message: `Cannot read the YAML: ${yamlFault(error)}` });
  }

  #fault(node: unknown, message: string): void {
    this.#faults.push({ place: this.#place(node), message });
  }

  #place(node: unknown): string {
    return this.#placeAt((node as { range?: [number, number, number] | null } | null)?.range?.[0] ?? 0);
  }

  #placeAt(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#file}:${line}:${col}`;
  }
}

/** As it is written, but that what YAML has many spellings for has one: 0x10 is 16, and True is true. */
function wordOf({ value, type, source = "" }: Scalar): string {
  const hasOneSpelling = typeof value === "boolean" || Number.isSafeInteger(value);
  return type === "PLAIN" && !hasOneSpelling ? source : String(value);
}

function isNone(value: unknown): boolean {
  return value === null || value === undefined || (isScalar(value) && value.value === null);
}
