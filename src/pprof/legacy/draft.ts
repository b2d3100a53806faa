// A profile while a legacy format is being read: stacks of addresses, which get mappings and ids at the end.

import type { Limits } from "../../model/limits.ts";
import type { ValueType } from "../../model/shape.ts";
import { oversizedProfile } from "../invalid-profile.ts";
import { emptyProfile, type Mapping, type Profile, type ProfileFunction, type SampleLabel } from "../profile.ts";

export interface DraftLocation {
  id: bigint;
  address: bigint;
  mapping: Mapping | undefined;
  line: { fn: ProfileFunction; line: bigint } | undefined;
}

export interface DraftSample {
  /** Leaf first. */
  stack: DraftLocation[];
  values: bigint[];
  labels: SampleLabel[];
}

export class Draft {
  sampleTypes: ValueType[];
  periodType: ValueType;
  period: bigint;
  durationNs = 0n;
  mappings: Mapping[] = [];
  readonly samples: DraftSample[] = [];
  readonly limits: Limits;
  readonly #locations = new Map<bigint, DraftLocation>();
  /** Of the final table: those that samples used when `numberLocations` was called. */
  #numbered: DraftLocation[] = [];

  constructor(sampleTypes: ValueType[], periodType: ValueType, period: bigint, limits: Limits) {
    this.sampleTypes = sampleTypes;
    this.periodType = periodType;
    this.period = period;
    this.limits = limits;
  }

  /** Throws `too-large` beyond the limits on samples, frames and addresses. */
  add(values: bigint[], addresses: readonly bigint[], labels: SampleLabel[] = []): void {
    if (this.samples.length >= this.limits.samples) oversizedProfile(`it has more than ${this.limits.samples} samples`);
    checkFrames(addresses.length, this.limits);
    this.samples.push({ stack: addresses.map((address) => this.#location(address)), values, labels });
  }

  #location(address: bigint): DraftLocation {
    const known = this.#locations.get(address);
    if (known) return known;
    if (this.#locations.size >= this.limits.legacyLocations) {
      oversizedProfile(`it has more than ${this.limits.legacyLocations} addresses`);
    }
    const location = { id: 0n, address, mapping: undefined, line: undefined };
    this.#locations.set(address, location);
    return location;
  }

  /** The location that a sample named by this address. */
  find(address: bigint): DraftLocation | undefined {
    return this.#locations.get(address);
  }

  /** Numbers the locations that samples use, in the order of their first use. */
  numberLocations(): readonly DraftLocation[] {
    const numbered = new Set<DraftLocation>();
    for (const { stack } of this.samples) for (const location of stack) numbered.add(location);
    this.#numbered = [...numbered];
    for (const [at, location] of this.#numbered.entries()) location.id = BigInt(at + 1);
    return this.#numbered;
  }

  finish(dropFrames: string, keepFrames: string): Profile {
    const functions = new Set<ProfileFunction>();
    for (const { line } of this.#numbered) if (line) functions.add(line.fn);
    for (const [at, fn] of [...functions].entries()) fn.id = BigInt(at + 1);
    return {
      ...emptyProfile(),
      sampleTypes: this.sampleTypes,
      periodType: this.periodType,
      period: this.period,
      durationNs: this.durationNs,
      dropFrames,
      keepFrames,
      mappings: this.mappings,
      functions: [...functions],
      locations: this.#numbered.map(({ id, address, mapping, line }) => ({
        id,
        address,
        mappingId: mapping?.id ?? 0n,
        lines: line ? [{ functionId: line.fn.id, line: line.line, column: 0n }] : [],
        isFolded: false,
      })),
      samples: this.samples.map(({ stack, values, labels }) => ({
        locationIds: stack.map(({ id }) => id),
        values,
        labels,
      })),
    };
  }
}

export function checkFrames(frames: number, limits: Limits): void {
  if (frames > limits.framesPerStack) oversizedProfile(`a stack has more than ${limits.framesPerStack} frames`);
}

/** The return addresses of a stack point behind their calls: one byte back lies in the call. */
export function intoCalls(addresses: readonly bigint[]): bigint[] {
  return addresses.map((address) => BigInt.asUintN(64, address - 1n));
}

/** The leaf may stand twice, from the signal's context and from unwinding; the second, moved into its call, is dropped. */
export function dropRepeatedLeaves(draft: Draft): void {
  for (const { stack } of draft.samples) {
    const [leaf, caller] = stack;
    if (leaf && caller && leaf.address === BigInt.asUintN(64, caller.address + 1n)) stack.splice(1, 1);
  }
}

/** The size label of a heap sample; the format has no way to say 0. */
export function sizeLabel(sizeBytes: bigint): SampleLabel[] {
  return sizeBytes === 0n ? [] : [{ key: "bytes", str: "", num: sizeBytes, unit: "" }];
}
