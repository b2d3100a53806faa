// Of which service and with which labels a request is: pgo-fleet's wire names neither, so a key or the URL's query does.

import type { Grant } from "../../http/access.ts";
import { boundLabels, boundService } from "../../http/bound.ts";
import { type Parameters, readLabels, readText } from "../../http/query-parameters.ts";
import { canonicalLabels, checkService, type Labels } from "../../model/labels.ts";
import type { Limits } from "../../model/limits.ts";

/** One collector is one project there: all that nothing names is of this service. */
export const UNNAMED_SERVICE = "pgo-fleet";

export interface Target {
  service: string;
  labels: Labels;
}

/** Throws `invalid`, and `forbidden` where the query names another service than the key is bound to. */
export function targetOf(parameters: Parameters, grant: Grant, limits: Limits): Target {
  const service = boundService(grant, readText(parameters, "service")) || UNNAMED_SERVICE;
  const { labels } = canonicalLabels(boundLabels(grant, readLabels(parameters, limits)), limits);
  return { service: checkService(service, limits), labels };
}
