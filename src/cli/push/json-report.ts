// What `push --json` prints: one document, stable, described in docs/command-line.md.

import type { DomainError } from "../../model/errors.ts";
import { formatTime } from "../../model/time.ts";
import type { Outcome } from "./outcome.ts";
import type { Settled } from "./report.ts";

export interface JsonReport {
  server: string;
  /** How many sources are in each state. */
  counts: Record<Outcome["state"], number>;
  /** What ended the push before its end; null where nothing did. */
  stopped: JsonError | null;
  /** In the order of the sources. */
  results: Record<string, unknown>[];
}

interface JsonError {
  kind: string;
  message: string;
}

export function jsonReport(all: readonly Settled[], server: string, stop: DomainError | undefined): JsonReport {
  const counts = { stored: 0, resumed: 0, refused: 0, unsent: 0, planned: 0 };
  for (const { outcome } of all) counts[outcome.state]++;
  const results = all.map(({ source, outcome }) => ({ source: source.name, ...factsOf(outcome) }));
  return { server, counts, stopped: stop ? errorOf(stop) : null, results };
}

function factsOf(outcome: Outcome): Record<string, unknown> {
  switch (outcome.state) {
    case "stored": {
      const { named, startTimeNs, hasReceiptTime, ...rest } = outcome;
      return { ...rest, ...namesOf(named), startTime: formatTime(startTimeNs), hasReceiptTime };
    }
    case "planned": {
      const { state, timeNs, warnings } = outcome;
      return { state, ...namesOf(outcome), startTime: timeNs === undefined ? null : formatTime(timeNs), warnings };
    }
    case "refused":
      return { state: outcome.state, error: errorOf(outcome.failure) };
    default:
      return outcome;
  }
}

function namesOf({ service, type, labels }: Pick<Outcome & { state: "planned" }, "service" | "type" | "labels">) {
  return { service, profileType: type ?? null, labels };
}

function errorOf({ kind, message }: DomainError): JsonError {
  return { kind, message };
}
