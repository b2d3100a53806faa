// What the text of the contexts file says; every fault has its line and column. Where the file is and how it changes: contexts.ts.

import { type Document, isAlias, isMap, isScalar, LineCounter, parseDocument, type Scalar } from "yaml";
import { DomainError } from "../model/errors.ts";
import { didYouMean } from "../model/nearest.ts";
import { quote } from "../model/text.ts";
import { yamlFault } from "../yaml-fault.ts";
import type { Context, Contexts } from "./contexts.ts";

interface Entry {
  name: string;
  key: unknown;
  value: unknown;
}

const FILE_KEYS = ["contexts", "current"];
const CONTEXT_KEYS = ["server", "key", "key_file"];

/** Throws `invalid` for a text that says something else. The document is for those who change it. */
export function readContextsText(text: string, file: string): { document: Document; contexts: Contexts } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = [...document.errors, ...document.warnings];
  if (error) throw faultAt(file, lines, error.pos[0], yamlFault(error));
  return { document, contexts: new ContextsReader(file, lines).read(document.contents) };
}

class ContextsReader {
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  read(contents: unknown): Contexts {
    const entries = this.#entries(contents, "it", "has `contexts` and `current`", FILE_KEYS);
    const partOf = (name: string) => entries.find((entry) => entry.name === name)?.value;
    const contexts = this.#entries(partOf("contexts"), "`contexts`", "has names, and servers below them");
    return {
      current: this.#text(partOf("current"), "`current`"),
      all: new Map(contexts.map((entry) => [entry.name, this.#context(entry)])),
    };
  }

  #context({ name, key: place, value }: Entry): Context {
    const where = `context ${quote(name)}`;
    const entries = this.#entries(value, where, "has `server`, and `key` or `key_file`", CONTEXT_KEYS);
    const textOf = (wanted: string) =>
      this.#text(entries.find((entry) => entry.name === wanted)?.value, `\`${wanted}\` of ${where}`);
    const [server, key, keyFile] = CONTEXT_KEYS.map(textOf);
    if (server === undefined) throw this.#fault(place, `${where} has no \`server\``);
    if (key !== undefined && keyFile !== undefined) throw this.#fault(place, `${where} has both key and key_file`);
    return { server, ...(key !== undefined && { key }), ...(keyFile !== undefined && { keyFile }) };
  }

  /** Of a section; nothing is an empty one. */
  #entries(node: unknown, what: string, has: string, known?: readonly string[]): Entry[] {
    if (isNone(node)) return [];
    if (isAlias(node)) throw this.#fault(node, `${what} is an alias, which is not followed: write what it stands for`);
    if (!isMap(node)) throw this.#fault(node, `${what} is one word or a list, where a section is expected: it ${has}`);
    return node.items.map(({ key, value }) => {
      const name = isScalar(key) ? wordOf(key) : "";
      if (known && !known.includes(name)) {
        throw this.#fault(key, `${quote(name)} means nothing here${didYouMean(name, known)}: ${what} ${has}`);
      }
      return { name, key, value };
    });
  }

  /** Does not say the value, which may be a key. */
  #text(node: unknown, what: string): string | undefined {
    if (isNone(node)) return undefined;
    if (isAlias(node)) throw this.#fault(node, `${what} is an alias, which is not followed: write what it stands for`);
    if (!isScalar(node)) throw this.#fault(node, `${what} is a list or a section, where one word is expected`);
    if (typeof node.value === "string") return node.value;
    throw this.#fault(node, `${what} is taken by YAML for a ${typeof node.value}: write it in quotes`);
  }

  #fault(node: unknown, rule: string): DomainError {
    const [offset] = (node as { range?: [number, number, number] | null } | null)?.range ?? [0];
    return faultAt(this.#file, this.#lines, offset, rule);
  }
}

function faultAt(file: string, lines: LineCounter, offset: number, rule: string): DomainError {
  const { line, col } = lines.linePos(offset);
  return new DomainError("invalid", `Cannot read contexts from ${file}:${line}:${col}: ${rule}`);
}

/** A name as it is written: 7 is the name "7". */
function wordOf({ value, type, source }: Scalar): string {
  return type === "PLAIN" && source !== undefined ? source : String(value);
}

function isNone(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}
