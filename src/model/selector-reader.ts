// Reading a selector's text into its type and matchers, character by character. What they mean together, selector.ts knows.

import { DomainError } from "./errors.ts";
import type { Matcher, MatchOperator } from "./matcher.ts";
import { quote } from "./text.ts";

export class SelectorReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Once. Throws `invalid`, naming the position. */
  read(): { typeText: string | undefined; matchers: Matcher[] } {
    this.#skipSpace();
    const typeText = this.#take(/[a-zA-Z_:][a-zA-Z0-9_:]*/y);
    this.#skipSpace();
    const matchers: Matcher[] = [];
    if (this.#at < this.#text.length || typeText === undefined) this.#readBraces(matchers);
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail("nothing may follow the closing brace");
    return { typeText, matchers };
  }

  #readBraces(matchers: Matcher[]): void {
    this.#expect("{");
    for (;;) {
      this.#skipSpace();
      if (this.#takeText("}")) return;
      matchers.push(this.#readMatcher());
      this.#skipSpace();
      if (this.#takeText("}")) return;
      if (!this.#takeText(",")) this.#fail('"," or "}" must follow a matcher');
    }
  }

  #readMatcher(): Matcher {
    const quoted = /["'`]/.test(this.#text[this.#at] ?? "");
    const name = quoted ? this.#readString() : this.#take(/[a-zA-Z_][a-zA-Z0-9_.]*/y);
    if (name === undefined || name === "") this.#fail("a label name must stand here");
    this.#skipSpace();
    const operator = this.#take(/=~|!~|!=|=/y) as MatchOperator | undefined;
    // PromQL's form for a metric name that is not a word: {"my.type", …}
    if (operator === undefined && quoted) return { name: "type", operator: "=", value: name };
    if (operator === undefined) this.#fail("one of = != =~ !~ must follow a label name");
    this.#skipSpace();
    return { name, operator, value: this.#readString() };
  }

  #readString(): string {
    const quoteMark = this.#text[this.#at];
    if (quoteMark === "`") {
      const end = this.#text.indexOf("`", this.#at + 1);
      if (end < 0) this.#fail("this string has no end");
      const raw = this.#text.slice(this.#at + 1, end);
      this.#at = end + 1;
      return raw;
    }
    if (quoteMark !== '"' && quoteMark !== "'") this.#fail("a quoted value must stand here");
    this.#at++;
    let value = "";
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character === "\n") this.#fail("this string has no end");
      this.#at++;
      if (character === quoteMark) return value;
      value += character === "\\" ? this.#readEscape() : character;
    }
  }

  #readEscape(): string {
    const simple: Record<string, string> = {
      n: "\n",
      t: "\t",
      r: "\r",
      "\\": "\\",
      '"': '"',
      "'": "'",
      a: "\x07",
      b: "\b",
      f: "\f",
      v: "\v",
    };
    const hex = this.#take(/x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}/y);
    if (hex !== undefined) {
      const point = Number.parseInt(hex.slice(1), 16);
      if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) this.#fail("this escape is no character");
      return String.fromCodePoint(point);
    }
    const found = simple[this.#text[this.#at] ?? ""];
    if (found === undefined) this.#fail("this escape is unknown");
    this.#at++;
    return found;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.#at += match[0].length;
    return match[0];
  }

  #takeText(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takeText(text)) this.#fail(`"${text}" must stand here`);
  }

  #skipSpace(): void {
    this.#take(/\s*/y);
  }

  #fail(rule: string): never {
    throw new DomainError("invalid", `Cannot read selector ${quote(this.#text)} at character ${this.#at + 1}: ${rule}`);
  }
}
