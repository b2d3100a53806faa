// Profiles in answers take their bytes from the budget of answers in flight: the handler of HTTP has it, the services ask.

import { createContextKey } from "@connectrpc/connect";

/** To be awaited with the bytes of an answer before they are read or sent. Throws `exhausted`, and `cancelled` when the client leaves. */
export const holdAnswerKey = createContextKey<(sizeBytes: number) => Promise<void>>(async () => {}, {
  description: "hold answer",
});
