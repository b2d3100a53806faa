// The header fields of a merge, by google/pprof's rules over the canonical order of its profiles, whatever order they came in.

import type { ProfileTables } from "./profile-tables.ts";

/** A text and the position of the profile that said it. */
export interface Said {
  order: number;
  text: string;
}

interface Comment {
  text: string;
  order: number;
  /** Its place among the comments of that profile. */
  place: number;
}

/** What of a Merger's header must travel to another; all texts are byte strings, so it survives JSON (bigints as text). */
export interface HeaderState {
  profiles: [order: number, timeNs: string, period: string][];
  durationNs: string;
  comments: Comment[];
  dropFrames: Said | undefined;
  keepFrames: Said | undefined;
  defaultSampleType: Said | undefined;
  docUrl: Said | undefined;
}

export interface MergedHeader {
  timeNs: bigint;
  durationNs: bigint;
  period: bigint;
  comments: string[];
  dropFrames: string;
  keepFrames: string;
  defaultSampleType: string;
  docUrl: string;
}

/** What one profile contributes to time and period: 24 bytes, that the rules below need each. */
interface Moment {
  order: number;
  timeNs: bigint;
  period: bigint;
}

export class MergeHeader {
  #moments: Moment[] = [];
  #durationNs = 0n;
  readonly #comments = new Map<string, Comment>();
  #dropFrames: Said | undefined;
  #keepFrames: Said | undefined;
  #defaultSampleType: Said | undefined;
  #docUrl: Said | undefined;

  get profiles(): number {
    return this.#moments.length;
  }

  /** Memory held, roughly: an object with two bigints per profile. */
  get bytes(): number {
    return this.#moments.length * 100;
  }

  /** Takes the header of the profile at position `order` of the canonical order. */
  take(tables: ProfileTables, order: number): void {
    const { header } = tables;
    this.#moments.push({ order, timeNs: header.timeNs, period: header.period });
    this.#durationNs = BigInt.asIntN(64, this.#durationNs + header.durationNs);
    header.comments.forEach((comment, place) => {
      this.#takeComment({ text: tables.byteString(comment), order, place });
    });
    // Frames come from the first profile even when it names none; the other two from the first that says something.
    this.#dropFrames = this.#earlier(this.#dropFrames, { order, text: tables.byteString(header.dropFrames) });
    this.#keepFrames = this.#earlier(this.#keepFrames, { order, text: tables.byteString(header.keepFrames) });
    if (header.defaultSampleType !== 0) {
      const text = tables.byteString(header.defaultSampleType);
      if (text !== "") this.#defaultSampleType = this.#earlier(this.#defaultSampleType, { order, text });
    }
    if (header.docUrl !== 0) {
      const text = tables.byteString(header.docUrl);
      if (text !== "") this.#docUrl = this.#earlier(this.#docUrl, { order, text });
    }
  }

  state(): HeaderState {
    return {
      profiles: this.#moments.map(({ order, timeNs, period }) => [order, String(timeNs), String(period)]),
      durationNs: String(this.#durationNs),
      comments: [...this.#comments.values()],
      dropFrames: this.#dropFrames,
      keepFrames: this.#keepFrames,
      defaultSampleType: this.#defaultSampleType,
      docUrl: this.#docUrl,
    };
  }

  absorb(state: HeaderState): void {
    for (const [order, timeNs, period] of state.profiles) {
      this.#moments.push({ order, timeNs: BigInt(timeNs), period: BigInt(period) });
    }
    this.#durationNs = BigInt.asIntN(64, this.#durationNs + BigInt(state.durationNs));
    for (const comment of state.comments) this.#takeComment(comment);
    this.#dropFrames = this.#earlier(this.#dropFrames, state.dropFrames);
    this.#keepFrames = this.#earlier(this.#keepFrames, state.keepFrames);
    this.#defaultSampleType = this.#earlier(this.#defaultSampleType, state.defaultSampleType);
    this.#docUrl = this.#earlier(this.#docUrl, state.docUrl);
  }

  finish(): MergedHeader {
    let timeNs = 0n;
    let period = 0n;
    // google/pprof's loop: a time of 0 says "not known yet" of what came before and is still taken as smaller.
    for (const moment of this.#moments.toSorted((a, b) => a.order - b.order)) {
      if (timeNs === 0n || moment.timeNs < timeNs) timeNs = moment.timeNs;
      if (period === 0n || period < moment.period) period = moment.period;
    }
    const comments = [...this.#comments.values()].sort((a, b) => a.order - b.order || a.place - b.place);
    return {
      timeNs,
      durationNs: this.#durationNs,
      period,
      comments: comments.map(({ text }) => text),
      dropFrames: this.#dropFrames?.text ?? "",
      keepFrames: this.#keepFrames?.text ?? "",
      defaultSampleType: this.#defaultSampleType?.text ?? "",
      docUrl: this.#docUrl?.text ?? "",
    };
  }

  #takeComment(comment: Comment): void {
    const known = this.#comments.get(comment.text);
    if (!known || comment.order < known.order || (comment.order === known.order && comment.place < known.place)) {
      this.#comments.set(comment.text, comment);
    }
  }

  #earlier(known: Said | undefined, said: Said | undefined): Said | undefined {
    if (known === undefined || said === undefined) return known ?? said;
    return said.order < known.order ? said : known;
  }
}
