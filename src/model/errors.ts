// The one error vocabulary. Every protocol translates these kinds once, at its own edge; anything that is not a DomainError is a bug.

export type ErrorKind =
  | "invalid" // the request or the profile breaks a rule: sending it again cannot help
  | "not-found"
  | "conflict" // the state forbids it: shapes that cannot be summed
  | "stale" // an etag no longer describes what it was made for
  | "too-large" // over a limit; `subject` says whether the body or the result was
  | "exhausted" // over a rate or a concurrency limit: try again later
  | "unavailable" // the store cannot serve now; `subject` "disk-full" asks for space, not for patience
  | "unauthenticated"
  | "forbidden"
  | "cancelled"; // the caller left

export type ErrorSubject = "body" | "result" | "disk-full";

export class DomainError extends Error {
  readonly kind: ErrorKind;
  readonly subject: ErrorSubject | undefined;

  /** `message` says what failed, on what, and what is allowed; it is shown to users as it stands. */
  constructor(kind: ErrorKind, message: string, options: { subject?: ErrorSubject; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DomainError";
    this.kind = kind;
    this.subject = options.subject;
  }
}

/** The form in which an error crosses a thread: structured cloning keeps neither class nor kind. */
export interface ErrorMessage {
  kind: ErrorKind | "bug";
  message: string;
  subject?: ErrorSubject;
  stack?: string;
}

export function toErrorMessage(error: unknown): ErrorMessage {
  if (error instanceof DomainError) {
    return { kind: error.kind, message: error.message, ...(error.subject && { subject: error.subject }) };
  }
  if (error instanceof Error)
    return { kind: "bug", message: error.message, ...(error.stack && { stack: error.stack }) };
  return { kind: "bug", message: String(error) };
}

export function fromErrorMessage(sent: ErrorMessage): Error {
  if (sent.kind !== "bug")
    return new DomainError(sent.kind, sent.message, sent.subject ? { subject: sent.subject } : {});
  const error = new Error(sent.message);
  if (sent.stack) error.stack = sent.stack;
  return error;
}
