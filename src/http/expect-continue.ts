// `Expect: 100-continue` (RFC 9110 §10.1.1): the client is told to send its body when somebody begins to read it, and never where the
// request is refused first.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

export function continueWhenRead(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): void {
  const tell = (event: string | symbol) => {
    if (event !== "data" && event !== "readable") return;
    request.off("newListener", tell);
    // What is thrown away behind an answer is not asked for.
    if (!response.headersSent) response.writeContinue();
  };
  request.on("newListener", tell);
}
