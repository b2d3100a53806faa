// Profile types: the one-word names, the profile-type ids of Pyroscope and Parca that mean them, and what a column's numbers are.

import { DomainError } from "./errors.ts";
import type { Aggregation, ValueType } from "./shape.ts";
import { quote } from "./text.ts";

const TYPE_NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/;

export function isTypeName(text: string): boolean {
  return TYPE_NAME.test(text);
}

export function checkTypeName(type: string): string {
  if (isTypeName(type)) return type;
  throw new DomainError(
    "invalid",
    `Cannot take profile type ${quote(type)}: it is one word of letters, digits and _, at most 64, such as cpu, heap or goroutine`,
  );
}

const GAUGE_COLUMNS = new Set(["inuse_objects", "inuse_space", "goroutine", "goroutines", "threadcreate"]);
const CUMULATIVE_COLUMNS = new Set(["alloc_objects", "alloc_space", "contentions", "delay"]);

/**
 * How the well-known runtimes write the column; what is unknown counts as delta, as a plain sum reads it. It is stored with the profile's
 * shape when that arrives: a later change here does not change what was stored.
 */
export function aggregationOf(type: string, column: ValueType): Aggregation {
  if (GAUGE_COLUMNS.has(column.type) || type === "goroutine" || type === "threadcreate") return "gauge";
  if (CUMULATIVE_COLUMNS.has(column.type)) return "cumulative";
  return "delta";
}

export interface TypeReference {
  /** Any of these; one name when the reference is a plain type. */
  types: readonly string[];
  /** Set when the reference is a profile-type id, which names one column. */
  column?: ValueType;
}

/** The first word of a profile-type id → our types. Sources: Pyroscope's and Parca's agents. */
const TYPES_OF_NAME: Record<string, readonly string[]> = {
  process_cpu: ["cpu"],
  parca_agent: ["cpu"],
  parca_agent_cpu: ["cpu"],
  memory: ["heap", "allocs"],
  goroutines: ["goroutine"],
};

/** Reads `heap` or `memory:inuse_space:bytes:space:bytes[:delta]`. Throws `invalid` when the text is neither. */
export function parseTypeReference(text: string): TypeReference {
  if (isTypeName(text)) return { types: [text] };
  const parts = text.split(":");
  const [name, sampleType, sampleUnit] = parts;
  const isId =
    (parts.length === 5 || (parts.length === 6 && parts[5] === "delta")) && isTypeName(name!) && sampleType !== "";
  if (!isId) {
    throw new DomainError(
      "invalid",
      `Cannot read profile type ${quote(text)}: name a type such as heap, or an id such as memory:inuse_space:bytes:space:bytes`,
    );
  }
  return { types: TYPES_OF_NAME[name!] ?? [name!], column: { type: sampleType!, unit: sampleUnit! } };
}
