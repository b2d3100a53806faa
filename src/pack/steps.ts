// Work that is done step by step, so that whoever does it can look at other things in between.

/** Each call of next() is a step; the last one returns. */
export type Steps<Result> = Generator<void, Result, void>;

export function allSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
