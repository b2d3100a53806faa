// POST /api/profile/{app}: one CPU profile into the repository. The key that is answered names it and is no path.

import { readBody } from "../../http/body.ts";
import { warningHeader } from "../../http/header-text.ts";
import { checkPgoShape } from "../../model/pgo-shape.ts";
import { sendJson } from "./answer.ts";
import { TYPE, VIA } from "./app.ts";
import type { AppRequest, AutopgoContext } from "./context.ts";

export async function uploadProfile({ exchange, app, grant }: AppRequest, context: AutopgoContext): Promise<void> {
  const { repository, limits, budget, nowNs } = context;
  using body = await readBody(exchange, limits.bodyBytes, budget);
  const outcome = await repository.push({
    service: app,
    type: TYPE,
    labels: [VIA, ...grant.labels],
    submitter: grant.submitter,
    bytes: body.bytes,
    judge: checkPgoShape,
  });
  // A profile without samples, of a process that was idle, is taken there; the scraper would log anything else as a failure.
  const isStored = outcome.state === "stored";
  const name = isStored ? outcome.record.id : nowNs();
  sendJson(exchange, 201, { key: `${app}/staging/${name}` }, isStored ? warningHeader(outcome.warnings) : {});
}
