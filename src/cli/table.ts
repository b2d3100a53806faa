// Tables for people: as wide as what is in them, on a terminal no wider than it. For programs there is --json.

import truncatedWidth from "fast-string-truncated-width";
import { columnsOf, harmless, shown, speaksUtf8, styled } from "./terminal.ts";

export interface Column<Row> {
  heading: string;
  cell: (row: Row) => string;
  align?: "right";
}

export interface Table<Row> {
  /** The first rows decide how wide the columns are, so that what follows need not be waited for. */
  print(rows: readonly Row[]): void;
}

const GAP = "  ";

export function createTable<Row>(columns: readonly Column<Row>[]): Table<Row> {
  let widths: number[] | undefined;
  return {
    print(rows) {
      const cells = rows.map((row) => columns.map(({ cell }) => shown(harmless(cell(row)))));
      const headings = columns.map(({ heading }) => shown(heading));
      const isFirst = widths === undefined;
      widths ??= columns.map((_, at) => Math.max(...[headings, ...cells].map((line) => widthOf(line[at]!))));
      const line = (each: readonly string[]) => lineOf(each, columns, widths!);
      if (isFirst) process.stdout.write(`${styled("bold", line(headings), process.stdout)}\n`);
      if (cells.length > 0) process.stdout.write(`${cells.map(line).join("\n")}\n`);
    },
  };
}

function lineOf<Row>(cells: readonly string[], columns: readonly Column<Row>[], widths: readonly number[]): string {
  const padded = cells.map((cell, at) => {
    const space = " ".repeat(Math.max(0, widths[at]! - widthOf(cell)));
    return columns[at]!.align === "right" ? space + cell : cell + space;
  });
  return cut(padded.join(GAP).trimEnd(), columnsOf(process.stdout));
}

function widthOf(text: string): number {
  return truncatedWidth(text).width;
}

function cut(line: string, columns: number | undefined): string {
  if (columns === undefined) return line;
  const ellipsis = speaksUtf8() ? "…" : "...";
  const { index, ellipsed } = truncatedWidth(line, { limit: columns, ellipsis, ellipsisWidth: ellipsis.length });
  return ellipsed ? line.slice(0, index) + ellipsis : line;
}
