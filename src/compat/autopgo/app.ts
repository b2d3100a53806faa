// What an app is here: its name, and which profiles are its own. `autopgo clean` deletes whatever is listed, so that only these are listed and
// deleted: what came by this protocol, and of services that have a policy named autopgo what that selects.

import type { Label, Labels } from "../../model/labels.ts";
import type { Limits } from "../../model/limits.ts";
import type { Matcher } from "../../model/matcher.ts";
import type { PgoPolicy } from "../../model/pgo-policy.ts";
import { parseSelector, type Selector, selectorOf } from "../../model/selector.ts";
import type { Repository } from "../../repository/repository.ts";

const APP_NAME = "[a-z0-9-]+";
const WHOLE_APP_NAME = new RegExp(`^${APP_NAME}$`);

export const POLICY_NAME = "autopgo";

/** Of every upload by this protocol. */
export const VIA: Label = { name: "via", value: "autopgo" };
export const TYPE = "cpu";

/** Which services may be apps at all. */
export const APP_SERVICES: Matcher = { name: "service", operator: "=~", value: APP_NAME };

export function isAppName(text: string): boolean {
  return WHOLE_APP_NAME.test(text);
}

/** Undefined: the service has not been opted in. */
export async function policyOf(repository: Repository, app: string): Promise<PgoPolicy | undefined> {
  const policies = await repository.pgo.policies.list(app);
  return policies.find(({ name }) => name === POLICY_NAME);
}

/** Its own profiles that have all of `labels`; no profile is in two of the selections. */
export async function selectionsOf(
  repository: Repository,
  app: string,
  labels: Labels,
  limits: Limits,
): Promise<Selector[]> {
  const sent = selectorOf(app, TYPE, [VIA, ...labels]);
  const policy = await policyOf(repository, app);
  if (policy === undefined) return [sent];
  const chosen = parseSelector(policy.selector, limits);
  const narrow = selectorOf(app, undefined, labels);
  const others = { ...VIA, operator: "!=" as const };
  return [
    sent,
    {
      services: [...chosen.services, ...narrow.services],
      types: chosen.types,
      labels: [...chosen.labels, ...narrow.labels, others],
    },
  ];
}
