// Who calls: the handler of HTTP knows, the services ask.

import { createContextKey } from "@connectrpc/connect";

/** The caller's network address; undefined where a call has no network. */
export const submitterKey = createContextKey<string | undefined>(undefined, { description: "submitter" });
