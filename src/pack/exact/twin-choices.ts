// Which of several equal rows of a table is meant, each time one of them is: guessed, and stored where the guess is wrong.

import type { WireReader } from "../../pprof/wire-reader.ts";
import { WireWriter } from "../../pprof/wire-writer.ts";
import { misfit } from "./misfit.ts";
import { readNumber } from "./table-order.ts";
import type { TableRows } from "./table-rows.ts";

/** Calls remembered for guesses: then all are forgotten, when a profile is learnt as when it is written. */
const CALLS_MAX = 1_000_000;

/** Says which row is meant, given the guess and the rows that it may be. */
export interface TwinChooser {
  choose(guess: number, twins: readonly number[]): number;
}

export const GUESSES_HOLD: TwinChooser = { choose: (guess) => guess };

/** Choices as stored: how many guesses hold, and the place among its twins, counted from 1, of the next that is not the guess; in turn. */
export class StoredChoices implements TwinChooser {
  readonly #from: WireReader;
  #run: number;

  constructor(from: WireReader) {
    this.#from = from;
    this.#run = readNumber(from);
  }

  choose(guess: number, twins: readonly number[]): number {
    if (this.#run-- > 0) return guess;
    const row = twins[readNumber(this.#from) - 1];
    if (row === undefined) misfit();
    this.#run = readNumber(this.#from);
    return row;
  }
}

/** Stores what the profile really has. */
export class ChoiceRecorder implements TwinChooser {
  readonly #out = new WireWriter(64);
  /** The row that is meant: set it before each `choose`. */
  actual = 0;
  #run = 0;
  isGuessed = true;

  choose(guess: number, twins: readonly number[]): number {
    if (this.actual === guess) this.#run++;
    else {
      this.isGuessed = false;
      this.#out.varint(this.#run);
      this.#out.varint(placeOf(this.actual, twins) + 1);
      this.#run = 0;
    }
    return this.actual;
  }

  finish(): Uint8Array {
    this.#out.varint(this.#run);
    return this.#out.finish();
  }
}

/**
 * The guess for frames: the row that the same caller called for the same entity before; else one that was not used yet, as
 * writers with a row per node of their call tree would; else the one used last.
 */
export class FrameGuess {
  readonly #rows: TableRows;
  readonly #called = new Map<number, number>();
  readonly #used = new Set<number>();
  /** By number: how many of its twins, from the first on, were used. */
  readonly #usedFirst = new Map<number, number>();
  readonly #last = new Map<number, number>();

  constructor(rows: TableRows) {
    this.#rows = rows;
  }

  /** The row of the entity `number` below the row `caller` (-1 for none). */
  row(number: number, caller: number, chooser: TwinChooser): number {
    const twins = this.#rows.twins.get(number);
    if (twins === undefined) return this.#rows.rowOf[number - 1]!;
    const key = (caller + 1) * (this.#rows.rowOf.length + 1) + number;
    const guess = this.#called.get(key) ?? this.#unused(number, twins) ?? this.#last.get(number)!;
    const row = chooser.choose(guess, twins);
    if (this.#called.size === CALLS_MAX) this.#called.clear();
    this.#called.set(key, row);
    this.#used.add(row);
    this.#last.set(number, row);
    return row;
  }

  #unused(number: number, twins: readonly number[]): number | undefined {
    let first = this.#usedFirst.get(number) ?? 0;
    while (first < twins.length && this.#used.has(twins[first]!)) first++;
    this.#usedFirst.set(number, first);
    return twins[first];
  }
}

/** Where `row` is among ascending rows. */
function placeOf(row: number, rows: readonly number[]): number {
  let low = 0;
  for (let high = rows.length - 1; low < high; ) {
    const middle = (low + high) >>> 1;
    if (rows[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return low;
}
