// GET /api/profile: every app that has profiles of its own. No profile is read or merged for it.

import type { Grant } from "../../http/access.ts";
import type { Exchange } from "../../http/exchange.ts";
import type { Labels } from "../../model/labels.ts";
import { type Selector, selectorOf } from "../../model/selector.ts";
import { compareUtf8 } from "../../model/text.ts";
import { formatTime, laterOf } from "../../model/time.ts";
import type { Repository } from "../../repository/repository.ts";
import { sendJson } from "./answer.ts";
import { APP_SERVICES, isAppName, POLICY_NAME, selectionsOf, TYPE, VIA } from "./app.ts";
import { type AutopgoContext, PROTOCOL } from "./context.ts";

type Usage = Awaited<ReturnType<Repository["usage"]>>[number];

export async function listApps(exchange: Exchange, context: AutopgoContext): Promise<void> {
  const { repository, limits, access } = context;
  const grant = access.admit(exchange, "pgo", PROTOCOL);
  const usage = Map.groupBy(await repository.usage(), ({ service }) => service);
  const profiles = [];
  for (const app of await appNames(context, grant)) {
    const selections = await selectionsOf(repository, app, grant.labels, limits);
    const lastNs = await lastReceived(repository, selections);
    if (lastNs === undefined) continue;
    let size = 0;
    for (const selector of selections) size += await sentBytes(context, selector, usage.get(app) ?? []);
    profiles.push({ key: app, size, lastModified: formatTime(lastNs) });
  }
  sendJson(exchange, 200, { profiles });
}

/** In the order of a bucket. */
async function appNames(context: AutopgoContext, { service, labels }: Grant): Promise<string[]> {
  const { pgo } = context.repository;
  const names = new Set(await servicesOf(context, TYPE, [VIA, ...labels]));
  const chosen = await pgo.policies.having(POLICY_NAME);
  for (const name of chosen === "every" ? await servicesOf(context, undefined, labels) : chosen) names.add(name);
  return [...names].filter((name) => isAppName(name) && (service ?? name) === name).sort(compareUtf8);
}

async function servicesOf(
  { repository, limits }: AutopgoContext,
  type: string | undefined,
  labels: Labels,
): Promise<string[]> {
  const selector = { ...selectorOf(undefined, type, labels), services: [APP_SERVICES] };
  const limit = limits.pageSizeMax;
  const names: string[] = [];
  for (;;) {
    const last = names.at(-1);
    const page = await repository.services({ selector, prefix: "", limit, ...(last !== undefined && { after: last }) });
    names.push(...page.map(({ name }) => name));
    if (page.length < limit) return names;
  }
}

/** when the newest of the profiles came, as the base profile there changes with each. */
async function lastReceived(repository: Repository, selections: readonly Selector[]): Promise<bigint | undefined> {
  let lastNs: bigint | undefined;
  for (const selector of selections) {
    const { records } = await repository.list({ selector, order: "newest", limit: 1 });
    for (const { receivedNs } of records) lastNs = laterOf(lastNs ?? 0n, receivedNs);
  }
  return lastNs;
}

/** What the selected profiles took as they were sent: exact where they are all of their service and type, else by their share of these. */
async function sentBytes(
  { repository, limits }: AutopgoContext,
  selector: Selector,
  usage: readonly Usage[],
): Promise<number> {
  const types = await repository.types({ selector, prefix: "", limit: limits.pageSizeMax });
  const parts = types.map(({ name, profiles }) => {
    const all = usage.find(({ type }) => type === name);
    return all === undefined ? 0 : (all.sentBytes * profiles) / Math.max(all.profiles, profiles);
  });
  return Math.round(parts.reduce((sum, part) => sum + part, 0));
}
