// Regular expressions from users: RE2 syntax and linear time (JavaScript's own backtrack). In selectors they are anchored, as in PromQL; where
// they match names of functions they are not, as in pprof.

import { RE2JS, RE2JSSyntaxException } from "re2js";
import { DomainError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { quote, utf8Bytes } from "./text.ts";

/** A test of whole values. Throws `invalid` for bad syntax and for patterns over the limits. */
export function compileAnchored(pattern: string, limits: Limits): (value: string) => boolean {
  const compiled = compileWithin(pattern, limits);
  return (value) => compiled.testExact(value);
}

/** A test whether a value has a match anywhere. Throws as compileAnchored() does. */
export function compileUnanchored(pattern: string, limits: Limits): (value: string) => boolean {
  const compiled = compileWithin(pattern, limits);
  return (value) => compiled.test(value);
}

function compileWithin(pattern: string, limits: Limits): RE2JS {
  if (utf8Bytes(pattern) > limits.regexpBytes) {
    throw new DomainError(
      "invalid",
      `Cannot use regular expression ${quote(pattern)}: it has ${utf8Bytes(pattern)} bytes, at most ${limits.regexpBytes} are allowed`,
    );
  }
  const compiled = compile(pattern);
  if (compiled.programSize() > limits.regexpProgramSize) {
    throw new DomainError(
      "invalid",
      `Cannot use regular expression ${quote(pattern)}: its repetitions expand to ${compiled.programSize()} steps, at most ${limits.regexpProgramSize} are allowed`,
    );
  }
  return compiled;
}

/** What a profile carries beyond this is no expression that anybody wrote. */
const PROFILE_PATTERN_BYTES = 64 * 1024;

/**
 * A test of whole values by a pattern that a profile carries, as Go's regexp reads it: no limits of users' patterns, since gperftools' have
 * 2 KiB, but of the time that all tests together take. Undefined where it is no expression. The test throws `too-large`.
 */
export function compileProfilePattern(pattern: string, limits: Limits): ((value: string) => boolean) | undefined {
  const compiled = utf8Bytes(pattern) > PROFILE_PATTERN_BYTES ? undefined : compileOrUndefined(pattern);
  if (compiled === undefined) return undefined;
  let leftMs: number = limits.regexpMs;
  return (value) => {
    const startedMs = performance.now();
    const matches = compiled.testExact(value);
    leftMs -= performance.now() - startedMs;
    if (leftMs > 0) return matches;
    throw new DomainError(
      "too-large",
      `Cannot test the expression ${quote(pattern)} of a profile within ${limits.regexpMs} ms: choose fewer profiles`,
      { subject: "result" },
    );
  };
}

function compileOrUndefined(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return undefined;
    throw error;
  }
}

/** A function to call before each of `count` pieces of work: it throws `too-large` when they have taken limits.regexpMs. */
export function regexpDeadline(pattern: string, count: number, limits: Limits): () => void {
  const untilMs = performance.now() + limits.regexpMs;
  return () => {
    if (performance.now() < untilMs) return;
    throw new DomainError(
      "too-large",
      `Cannot test regular expression ${quote(pattern)} within ${limits.regexpMs} ms (${count} values or matchers): use a simpler one, or fewer`,
      { subject: "result" },
    );
  };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DomainError("invalid", `Cannot use regular expression ${quote(pattern)}: ${reason} (RE2 syntax)`, {
      cause: error,
    });
  }
}
