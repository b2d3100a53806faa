// Of which service and with which labels a request is: pgo-fleet's wire names neither, so a key or the URL's query does.

import type { Grant } from "../../http/access.ts";
import { type Parameters, readLabels, readText } from "../../http/query-parameters.ts";
import { DomainError } from "../../model/errors.ts";
import { canonicalLabels, checkService, type Labels } from "../../model/labels.ts";
import type { Limits } from "../../model/limits.ts";
import { quote } from "../../model/text.ts";

/** One collector is one project there: all that nothing names is of this service. */
export const UNNAMED_SERVICE = "pgo-fleet";

export interface Target {
  service: string;
  labels: Labels;
}

/** Throws `invalid`, and `forbidden` where the query names another service than the key is bound to. */
export function targetOf(parameters: Parameters, grant: Grant, limits: Limits): Target {
  const asked = readText(parameters, "service") || undefined;
  if (grant.service !== undefined && asked !== undefined && asked !== grant.service) {
    throw new DomainError("forbidden", `This key is for the service ${quote(grant.service)}, not ${quote(asked)}`);
  }
  const service = checkService(grant.service ?? asked ?? UNNAMED_SERVICE, limits);
  const { labels } = canonicalLabels([...readLabels(parameters, limits), ...grant.labels], limits);
  return { service, labels };
}
