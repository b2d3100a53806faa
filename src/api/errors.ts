// The one translation of errors into the contract's: DomainError → ConnectError; whatever else is a bug, is logged, and says nothing.

import { Code, ConnectError, createContextKey, type Interceptor } from "@connectrpc/connect";
import type { Logger } from "pino";
import { RETRY_AFTER_SECONDS } from "../http/errors.ts";
import { DomainError, type ErrorKind } from "../model/errors.ts";

const CODES: Record<ErrorKind, Code> = {
  invalid: Code.InvalidArgument,
  "not-found": Code.NotFound,
  conflict: Code.FailedPrecondition,
  stale: Code.Aborted,
  "too-large": Code.ResourceExhausted,
  exhausted: Code.ResourceExhausted,
  unavailable: Code.Unavailable,
  unauthenticated: Code.Unauthenticated,
  forbidden: Code.PermissionDenied,
  cancelled: Code.Canceled,
};

/** gRPC carries messages in a header: a list of thousands of names must not become one. */
const MESSAGE_CHARACTERS = 2_000;

/** True once a call has come to its service: what fails before has failed in reading the request. */
export const reachedServiceKey = createContextKey(false, { description: "reached service" });

export function toConnectError(error: unknown, logger: Logger): ConnectError {
  if (error instanceof ConnectError) return error;
  if (error instanceof DomainError) {
    const { kind } = error;
    const headers = kind === "exhausted" || kind === "unavailable" ? { "retry-after": RETRY_AFTER_SECONDS } : undefined;
    return new ConnectError(cut(error.message), CODES[kind], headers, undefined, error);
  }
  logger.error({ err: error }, "a call of the contract failed by a bug");
  return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
}

function cut(message: string): string {
  return message.length > MESSAGE_CHARACTERS ? `${message.slice(0, MESSAGE_CHARACTERS).toWellFormed()}…` : message;
}

/** Also covers what a stream throws after it has begun. A call cut short says why it was: deadline or departure. */
export function translateErrors(logger: Logger): Interceptor {
  return (next) => async (request) => {
    request.contextValues.set(reachedServiceKey, true);
    const translate = (error: unknown): ConnectError => {
      const { aborted, reason } = request.signal;
      if (aborted && (error === reason || (error instanceof DomainError && error.kind === "cancelled"))) {
        return reason instanceof ConnectError ? reason : new ConnectError("the client left", Code.Canceled);
      }
      return toConnectError(error, logger.child({ rpc: `${request.service.typeName}/${request.method.name}` }));
    };
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: translated(response.message, translate) } : response;
    } catch (error) {
      throw translate(error);
    }
  };
}

async function* translated<Message>(
  messages: AsyncIterable<Message>,
  translate: (error: unknown) => ConnectError,
): AsyncGenerator<Message> {
  try {
    yield* messages;
  } catch (error) {
    throw translate(error);
  }
}
