// One file's content on a simulated disk: per 4 KiB page what is certain to be there, and every later version that may be there instead.

import type { Random } from "../support/random.ts";

const PAGE_BYTES = 4096;

interface Version<Value> {
  /** Position in the trace. */
  at: number;
  value: Value;
  /** A sync that should have made it durable failed: the system may have dropped it, and no later sync brings it back. */
  doomed: boolean;
}

/** What a crash keeps of what was not synced. */
export type Loss = "all lost" | "all kept" | "mixed";

export class SimulatedFile {
  #durableSize = 0;
  #sizes: Version<number>[] = [];
  readonly #durable = new Map<number, Buffer>();
  readonly #pending = new Map<number, Version<Buffer>[]>();

  /** Everything in it is durable. */
  static of(bytes: Buffer): SimulatedFile {
    const file = new SimulatedFile();
    file.write(0, 0, bytes);
    file.synced(1);
    return file;
  }

  write(at: number, offset: number, data: Buffer): void {
    for (let done = 0; done < data.length; ) {
      const page = Math.floor((offset + done) / PAGE_BYTES);
      const start = (offset + done) % PAGE_BYTES;
      const part = data.subarray(done, done + PAGE_BYTES - start);
      const changed = Buffer.from(this.#latest(page));
      part.copy(changed, start);
      this.#add(page, at, changed);
      done += part.length;
    }
    this.#resize(at, Math.max(this.#size(), offset + data.length));
  }

  truncate(at: number, sizeBytes: number): void {
    const size = this.#size();
    for (let page = Math.floor(sizeBytes / PAGE_BYTES); page * PAGE_BYTES < size; page++) {
      const cut = Buffer.from(this.#latest(page));
      cut.fill(0, Math.max(0, sizeBytes - page * PAGE_BYTES));
      this.#add(page, at, cut);
    }
    this.#resize(at, sizeBytes);
  }

  /** What was written before `begin` is durable now, but for what an earlier sync failed on. */
  synced(begin: number): void {
    for (const [page, versions] of this.#pending) {
      const covered = versions.filter((version) => version.at < begin);
      const last = covered.at(-1);
      if (last === undefined || last.doomed) continue;
      this.#durable.set(page, last.value);
      const later = versions.slice(covered.length);
      if (later.length > 0) this.#pending.set(page, later);
      else this.#pending.delete(page);
    }
    const sizes = this.#sizes.filter((version) => version.at < begin);
    this.#durableSize = sizes.at(-1)?.value ?? this.#durableSize;
    this.#sizes = this.#sizes.slice(sizes.length);
  }

  syncFailed(begin: number): void {
    for (const versions of this.#pending.values()) {
      for (const version of versions) if (version.at < begin) version.doomed = true;
    }
  }

  /** The content after a crash. */
  crash(loss: Loss, random: Random): Buffer {
    const sizeBytes = choose(this.#durableSize, this.#sizes, loss, random);
    const content = Buffer.alloc(sizeBytes);
    for (const page of new Set([...this.#durable.keys(), ...this.#pending.keys()])) {
      if (page * PAGE_BYTES >= sizeBytes) continue;
      const durable = this.#durable.get(page);
      const bytes = choose(durable ?? ZEROS, this.#pending.get(page) ?? [], loss, random);
      bytes.copy(content, page * PAGE_BYTES);
    }
    return content;
  }

  #size(): number {
    return this.#sizes.at(-1)?.value ?? this.#durableSize;
  }

  #latest(page: number): Buffer {
    return this.#pending.get(page)?.at(-1)?.value ?? this.#durable.get(page) ?? ZEROS;
  }

  #add(page: number, at: number, value: Buffer): void {
    const version = { at, value, doomed: false };
    const versions = this.#pending.get(page);
    if (versions) versions.push(version);
    else this.#pending.set(page, [version]);
  }

  #resize(at: number, value: number): void {
    if (value !== this.#size()) this.#sizes.push({ at, value, doomed: false });
  }
}

const ZEROS = Buffer.alloc(PAGE_BYTES);

function choose<Value>(durable: Value, later: readonly Version<Value>[], loss: Loss, random: Random): Value {
  if (loss === "all lost") return durable;
  if (loss === "all kept") return later.at(-1)?.value ?? durable;
  return random.pick([durable, ...later.map(({ value }) => value)]);
}
