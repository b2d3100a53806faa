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

/** Time and period of each profile, in no order: the rules below need each. */
export interface Moments {
  /** Positions in canonical order. */
  orders: Float64Array;
  timesNs: BigInt64Array;
  periods: BigInt64Array;
}

/** What profiles say in words; all are byte strings. */
export interface HeaderTexts {
  comments: readonly string[];
  dropFrames: string;
  keepFrames: string;
  defaultSampleType: string;
  docUrl: string;
}

/** What of a Merger's header must travel to another: JSON but for `moments`; all texts are byte strings. */
export interface HeaderState {
  moments: Moments;
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

export class MergeHeader {
  // Grown by doubling; the first #profiles entries count.
  #moments: Moments = {
    orders: new Float64Array(16),
    timesNs: new BigInt64Array(16),
    periods: new BigInt64Array(16),
  };
  #profiles = 0;
  #durationNs = 0n;
  readonly #comments = new Map<string, Comment>();
  #dropFrames: Said | undefined;
  #keepFrames: Said | undefined;
  #defaultSampleType: Said | undefined;
  #docUrl: Said | undefined;

  get profiles(): number {
    return this.#profiles;
  }

  /** Memory held. */
  get bytes(): number {
    return this.#moments.orders.length * 24;
  }

  /** Takes the header of the profile at position `order` of the canonical order. */
  take(tables: ProfileTables, order: number): void {
    const { header } = tables;
    const at = this.#reserve(1);
    this.#moments.orders[at] = order;
    this.#moments.timesNs[at] = header.timeNs;
    this.#moments.periods[at] = header.period;
    this.#addDuration(header.durationNs);
    const text = (index: number) => tables.byteString(index);
    this.takeTexts(
      {
        comments: header.comments.map(text),
        dropFrames: text(header.dropFrames),
        keepFrames: text(header.keepFrames),
        defaultSampleType: text(header.defaultSampleType),
        docUrl: text(header.docUrl),
      },
      order,
    );
  }

  /** Takes the moments of many profiles, whose durations have the sum `durationNs`. Their texts are for `takeTexts`. */
  takeMoments({ orders, timesNs, periods }: Moments, durationNs: bigint): void {
    const at = this.#reserve(orders.length);
    this.#moments.orders.set(orders, at);
    this.#moments.timesNs.set(timesNs, at);
    this.#moments.periods.set(periods, at);
    this.#addDuration(durationNs);
  }

  /** Takes what is said by profiles of which the first is at `order`. */
  takeTexts(texts: HeaderTexts, order: number): void {
    texts.comments.forEach((text, place) => {
      this.#takeComment({ text, order, place });
    });
    // Frames come from the first profile even when it names none; the other two from the first that says something.
    const said = (text: string): Said => ({ order, text });
    this.#dropFrames = this.#earlier(this.#dropFrames, said(texts.dropFrames));
    this.#keepFrames = this.#earlier(this.#keepFrames, said(texts.keepFrames));
    if (texts.defaultSampleType !== "") {
      this.#defaultSampleType = this.#earlier(this.#defaultSampleType, said(texts.defaultSampleType));
    }
    if (texts.docUrl !== "") this.#docUrl = this.#earlier(this.#docUrl, said(texts.docUrl));
  }

  /** Its moments are views, valid until more is taken. */
  state(): HeaderState {
    return {
      moments: this.#takenMoments(),
      durationNs: String(this.#durationNs),
      comments: [...this.#comments.values()],
      dropFrames: this.#dropFrames,
      keepFrames: this.#keepFrames,
      defaultSampleType: this.#defaultSampleType,
      docUrl: this.#docUrl,
    };
  }

  absorb(state: HeaderState): void {
    this.takeMoments(state.moments, BigInt(state.durationNs));
    for (const comment of state.comments) this.#takeComment(comment);
    this.#dropFrames = this.#earlier(this.#dropFrames, state.dropFrames);
    this.#keepFrames = this.#earlier(this.#keepFrames, state.keepFrames);
    this.#defaultSampleType = this.#earlier(this.#defaultSampleType, state.defaultSampleType);
    this.#docUrl = this.#earlier(this.#docUrl, state.docUrl);
  }

  finish(): MergedHeader {
    const { timeNs, period } = timeAndPeriod(this.#takenMoments());
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

  #takenMoments(): Moments {
    const { orders, timesNs, periods } = this.#moments;
    const count = this.#profiles;
    return {
      orders: orders.subarray(0, count),
      timesNs: timesNs.subarray(0, count),
      periods: periods.subarray(0, count),
    };
  }

  #addDuration(durationNs: bigint): void {
    this.#durationNs = BigInt.asIntN(64, this.#durationNs + durationNs);
  }

  /** Makes room for `count` more moments; answers where they begin. */
  #reserve(count: number): number {
    const at = this.#profiles;
    this.#profiles += count;
    if (this.#profiles <= this.#moments.orders.length) return at;
    const size = Math.max(this.#profiles, at * 2);
    const larger = {
      orders: new Float64Array(size),
      timesNs: new BigInt64Array(size),
      periods: new BigInt64Array(size),
    };
    larger.orders.set(this.#moments.orders);
    larger.timesNs.set(this.#moments.timesNs);
    larger.periods.set(this.#moments.periods);
    this.#moments = larger;
    return at;
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

/** google/pprof's loop: a time of 0 says "not known yet" of what came before and is still taken as smaller. */
function timeAndPeriod({ orders, timesNs, periods }: Moments): { timeNs: bigint; period: bigint } {
  let timeNs = 0n;
  let period = 0n;
  let isPlain = true;
  const take = (at: number) => {
    const [time, own] = [timesNs[at]!, periods[at]!];
    if (timeNs === 0n || time < timeNs) timeNs = time;
    if (period === 0n || period < own) period = own;
    if (time <= 0n || own <= 0n) isPlain = false;
  };
  for (let at = 0; at < orders.length; at++) take(at);
  // Only what is not positive makes the order matter.
  if (isPlain) return { timeNs, period };
  timeNs = 0n;
  period = 0n;
  const places = Uint32Array.from(orders, (_, at) => at);
  places.sort((a, b) => orders[a]! - orders[b]!).forEach(take);
  return { timeNs, period };
}
