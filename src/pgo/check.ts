// A file that is there already, such as a default.pgo of a repository: a report on it, whatever it is. It is judged as it stands; what the server
// would leave out of it is not (prepare.ts).

import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { PgoThreshold } from "../model/pgo-policy.ts";
import { decodeProfile } from "../pprof/decode.ts";
import { inflate, isGzip } from "../pprof/gzip.ts";
import { summarize } from "../pprof/summary.ts";
import { contentOf } from "./content.ts";
import { type PgoEdges, type PgoRefusal, PREPROFILE_HEADER, pgoEdges } from "./edges.ts";
import { faultReport, judge, type PgoReport } from "./judge.ts";

const REFUSALS: Readonly<Record<PgoRefusal, string>> = {
  "no-column": "go build fails on it: it has neither samples/count nor cpu/nanoseconds, so it is no CPU profile.",
  "no-start-line":
    "go build fails on it: no function says on which line it begins, as in profiles that are not of Go 1.20 or newer, that were symbolized again, or whose values are all 0.",
  "unreadable-name":
    "go build fails on it, or loses calls: the name of a function has a line break or 64 KiB, and the compiler reads names line by line.",
};

/** Answers for any bytes and never throws on them: what cannot be read is a finding. */
export function checkPgoFile(file: Uint8Array, limits: Limits, thresholds: readonly PgoThreshold[] = []): PgoReport {
  if (file.length === 0)
    return faultReport("It is empty, which go build takes for no profile: it builds, and nothing is gained.");
  try {
    const raw = isGzip(file) ? inflate(file, limits.inflatedBytes) : file;
    return Buffer.from(raw.subarray(0, PREPROFILE_HEADER.length)).toString("latin1") === PREPROFILE_HEADER
      ? faultReport(
          "go build fails on it: it is what go tool preprofile writes, which go build makes itself of a profile. Give it the profile.",
        )
      : reportOn(raw, limits, thresholds);
  } catch (error) {
    if (error instanceof DomainError) return faultReport(faultOf(error, file));
    throw error;
  }
}

function reportOn(raw: Uint8Array, limits: Limits, thresholds: readonly PgoThreshold[]): PgoReport {
  summarize(raw, limits);
  const profile = decodeProfile(raw, { encoding: "latin1" });
  const edges = pgoEdges(profile);
  const leftOut = { negative: 0, withoutStartLine: 0, unreadableName: 0 };
  const facts = { content: contentOf(profile, edges, { all: edges, leftOut }), inputs: inputsOf(profile) };
  const fault = refusalText(edges);
  return fault === undefined ? judge(facts, thresholds) : faultReport(fault, facts);
}

/** Why `go build` fails on a file of these edges, or makes nothing of them; undefined where it does not. */
export function refusalText({ refusal, isWrapped }: PgoEdges): string | undefined {
  if (refusal !== undefined) return REFUSALS[refusal];
  return isWrapped ? "Its weights sum to more than int64 holds, and the compiler's sums wrap." : undefined;
}

/** What a profile says of itself. */
function inputsOf({ durationNs, timeNs }: { durationNs: bigint; timeNs: bigint }) {
  return { ...(durationNs > 0n && { wallNs: durationNs }), ...(timeNs > 0n && { earliestStartNs: timeNs }) };
}

function faultOf({ message }: DomainError, file: Uint8Array): string {
  const start = Buffer.from(file.subarray(0, 40)).toString("latin1");
  if (!/^[\t\n\r\x20-\x7e\x80-\xff]+$/.test(start)) return `${message}.`;
  const shown = start.replaceAll(/[^\x20-\x7e]/g, " ").trim();
  return `go build fails on it: it is text, not a profile, and begins with ${JSON.stringify(shown)}.`;
}
