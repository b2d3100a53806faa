// A line that says how far a push is, redrawn in place at the bottom of a terminal. ASCII, since every terminal has it.

import { clearLine, cursorTo } from "node:readline";
import type { WriteStream } from "node:tty";
import { columnsOf } from "../terminal.ts";

const REDRAW_MS = 100;
const BAR_COLUMNS = 24;

export interface Progress {
  done: number;
  total: number;
  refused: number;
}

export class ProgressBar {
  readonly #terminal: WriteStream;
  readonly #startedMs = performance.now();
  #drawnMs = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(terminal: WriteStream) {
    this.#terminal = terminal;
  }

  draw(progress: Progress): void {
    const nowMs = performance.now();
    if (this.#isShown && nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    this.clear();
    const line = formatProgress(progress, (nowMs - this.#startedMs) / 1000);
    const columns = columnsOf(this.#terminal);
    // A line that wraps could not be taken back.
    this.#terminal.write(columns === undefined ? line : line.slice(0, columns - 1));
    this.#isShown = true;
  }

  /** Leaves the line to other output. */
  clear(): void {
    if (!this.#isShown) return;
    cursorTo(this.#terminal, 0);
    clearLine(this.#terminal, 0);
    this.#isShown = false;
  }
}

export function formatProgress({ done, total, refused }: Progress, seconds: number): string {
  const share = total === 0 ? 1 : done / total;
  const filled = Math.floor(share * BAR_COLUMNS);
  const bar = "=".repeat(filled) + (filled < BAR_COLUMNS ? ">" : "");
  const rate = seconds >= 1 ? `, ${Math.round(done / seconds)}/s` : "";
  const faults = refused > 0 ? `, ${refused} refused` : "";
  return `[${bar.padEnd(BAR_COLUMNS)}] ${Math.floor(share * 100)}% ${done} of ${total}${rate}${faults}`;
}
