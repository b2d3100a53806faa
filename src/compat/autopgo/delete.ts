// DELETE /api/profile/{app}: all of the app's own profiles, at once and for good. What other protocols sent of the same service stays.

import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import { sendJson } from "./answer.ts";
import { selectionsOf } from "./app.ts";
import type { AppRequest, AutopgoContext } from "./context.ts";

export async function deleteApp(
  { exchange, app, grant }: AppRequest,
  { repository, limits }: AutopgoContext,
): Promise<void> {
  let deleted = 0;
  for (const selector of await selectionsOf(repository, app, grant.labels, limits)) {
    const { etag } = await repository.previewDelete({ selector });
    deleted += await repository.deleteSelection({ selector }, etag);
  }
  if (deleted === 0) throw new DomainError("not-found", `App ${quote(app)} has no profiles that may be deleted here`);
  sendJson(exchange, 200, {});
}
