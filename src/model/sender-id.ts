// Ids that senders choose, kept beside ours: request ids and external ids. Our own ids are profile-id.ts's.

import { DomainError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { quote, textFault, utf8Bytes } from "./text.ts";

/** `what` names the id in messages, such as "request id". Throws `invalid`; no id at all is sound. */
export function checkSenderId(what: string, id: string | undefined, limits: Limits): void {
  if (id === undefined) return;
  if (utf8Bytes(id) > limits.senderIdBytes) {
    throw new DomainError(
      "invalid",
      `Cannot take ${what} ${quote(id)}: it has ${utf8Bytes(id)} bytes, at most ${limits.senderIdBytes} are allowed`,
    );
  }
  const fault = textFault(id);
  if (fault) throw new DomainError("invalid", `Cannot take ${what} ${quote(id)}: it ${fault}`);
}
