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
  readonly #path: string;
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #written: Written[] = [];
  readonly #faults: Fault[] = [];

  constructor(path: string, text: string) {
    this.#path = path;
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
    const { isPath } = setting.kind;
    const words: Word[] = [];
    for (const item of isSeq(value) && setting.isList ? value.items : [value]) {
      if (isScalar(item) && !isNone(item)) {
        const text = wordOf(item);
        words.push({ text: isPath && text ? resolve(dirname(this.#path), text) : text, place: this.#place(item) });
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

  #unknown(key: unknown, name: string, prefix: string): void {
    const here = SETTINGS.filter((each) => each.key.startsWith(prefix)).map((each) => each.key.slice(prefix.length));
    const snaked = snakeCase(name);
    // Also what stands one section too high or too low: its last part is what people remember.
    const elsewhere = SETTINGS.find((each) => each.key.split(".").at(-1) === snaked);
    const hint = elsewhere ? `; did you mean ${elsewhere.key}?` : didYouMean(snaked, [...here, LIMITS_SECTION]);
    this.#fault(key, `Cannot set ${quote(prefix + name)}: no setting has this name${hint}`);
  }

  #syntaxFault({ message, pos: [offset] }: YAMLError): void {
    this.#faults.push({ place: this.#placeAt(offset), message: `Cannot read the YAML: ${message}` });
  }

  #fault(node: unknown, message: string): void {
    this.#faults.push({ place: this.#place(node), message });
  }

  #place(node: unknown): string {
    return this.#placeAt((node as { range?: [number, number, number] | null } | null)?.range?.[0] ?? 0);
  }

  #placeAt(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#path}:${line}:${col}`;
  }
}

/** As it is written: numbers and words of YAML are read as everywhere else. */
function wordOf(scalar: Scalar): string {
  return scalar.type === "PLAIN" ? (scalar.source ?? "") : String(scalar.value);
}

function isNone(value: unknown): boolean {
  return value === null || value === undefined || (isScalar(value) && value.value === null);
}
