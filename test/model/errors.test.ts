// The error vocabulary across threads.

import { expect, test } from "vitest";
import { DomainError, fromErrorMessage, toErrorMessage } from "../../src/model/errors.ts";

test("a domain error crosses a thread with its kind, message and subject", () => {
  for (const sent of [
    new DomainError("invalid", "no"),
    new DomainError("unavailable", "full", { subject: "disk-full" }),
  ]) {
    const received = fromErrorMessage(structuredClone(toErrorMessage(sent)));
    expect(received).toBeInstanceOf(DomainError);
    expect(received).toMatchObject({ kind: sent.kind, message: sent.message, subject: sent.subject });
  }
});

test("a bug crosses a thread as a bug, with its own stack", () => {
  const received = fromErrorMessage(structuredClone(toErrorMessage(new RangeError("off by one"))));
  expect(received).not.toBeInstanceOf(DomainError);
  expect(received.message).toBe("off by one");
  expect(received.stack).toContain("errors.test.ts");
  expect(fromErrorMessage(toErrorMessage("thrown text")).message).toBe("thrown text");
});
