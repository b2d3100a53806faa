// `profusion pgo fetch`: the file for a build. A build never breaks for want of a profile, so what fails is told and is no failure.

import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { DomainError } from "../../model/errors.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { NS_PER_MS } from "../../model/time.ts";
import { inflate } from "../../pprof/gzip.ts";
import type { ClientOptions } from "../client-options.ts";
import { parseSaidDuration } from "../local-time.ts";
import { answer, answerJson, complain, type OutputOptions, warn } from "../output.ts";
import { findTarget } from "../target.ts";
import { writeWhole } from "../write-whole.ts";
import { type FetchedFile, fetchPgoFile, type PresentFile } from "./download.ts";
import { checkReleaseAlone, type QuestionOptions, type Required } from "./question.ts";
import { parseReleaseName } from "./release-name.ts";

interface FetchOptions extends ClientOptions, Omit<QuestionOptions, "service">, OutputOptions {
  service?: string;
  release?: string;
  pin?: string;
  require?: Required;
  output: string;
  timeout: string;
  strict?: true;
}

export async function fetchFile(options: FetchOptions): Promise<void> {
  const { output, json, strict } = options;
  try {
    const file = await fetchInto(options);
    const state = file.isHad ? "kept" : "written";
    const { verdict, release, window, merged, versions, warning } = file;
    if (json) return answerJson({ file: output, state, verdict, release, window, merged, versions, error: null });
    if (!options.quiet) answer(verdictLine(output, file));
    if (warning !== undefined) warn(warning, options);
  } catch (error) {
    if (strict) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const kind = error instanceof DomainError ? error.kind : "unexpected";
    if (json) answerJson({ file: output, state: "failed", verdict: null, error: { kind, message } });
    complain(
      `${message}; ${existsSync(output) ? `${output} is as it was` : `there is no ${output}`}, and the build goes on`,
    );
  }
}

/** Leaves the file alone where that is the profile: who watches it, as make does, sees no change. Throws. */
async function fetchInto(options: FetchOptions): Promise<FetchedFile> {
  const { output } = options;
  const question = withRelease(options);
  const target = await findTarget(options);
  const timeoutMs = Number(parseSaidDuration(options.timeout) / NS_PER_MS);
  const have = await presentFile(output);
  const file = await fetchPgoFile(target, question, { have, require: options.require, timeoutMs });
  if (!file.isHad) await writeWhole(file.bytes, output);
  return file;
}

/** `--pin auth@stable` is `--service auth --release stable`. */
function withRelease(options: FetchOptions): QuestionOptions & { release?: string } {
  const { pin, service, release } = options;
  if (pin !== undefined && (service ?? release) !== undefined) {
    throw new DomainError("invalid", "Cannot take --pin together with --service or --release: it is both");
  }
  const named = pin === undefined ? { service, ...(release && { release }) } : parseReleaseName(pin);
  if (named.service === undefined) {
    throw new DomainError("invalid", "Cannot fetch without a service: say --service, or --pin SERVICE@RELEASE");
  }
  if (named.release !== undefined) checkReleaseAlone(options);
  return { ...options, ...named, service: named.service };
}

/** Undefined where it cannot be read. */
async function presentFile(path: string): Promise<PresentFile | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  try {
    return { bytes, digest: hash("sha256", inflate(bytes, DEFAULT_LIMITS.inflatedBytes), "hex") };
  } catch (error) {
    // A damaged gzip is nothing that the server has.
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}

function verdictLine(output: string, { isHad, ...file }: FetchedFile): string {
  const { verdict, release, window, merged, versions } = file;
  const parts = [
    `${output}: ${verdict}`,
    isHad && "the same as before",
    release && `release ${release}`,
    merged && `${merged} profiles${window ? ` of ${window.replace("/", " to ")}` : ""}`,
    versions && `versions ${versions}`,
  ];
  return parts.filter((part) => part).join(", ");
}
