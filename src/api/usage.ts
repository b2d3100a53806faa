// AdminService.GetUsage: contract in, what the repository knows of each service and type, a page of it out.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type * as contract from "../../gen/profusion/v1/admin_service_pb.ts";
import type { Limits } from "../model/limits.ts";
import { compareUtf8 } from "../model/text.ts";
import { earlierOf, laterOf } from "../model/time.ts";
import { cutPage, nameBytes } from "../repository/page.ts";
import type { Repository } from "../repository/repository.ts";
import type { Usage } from "../storage/catalog.ts";
import { pageSizeOf, timestampOf } from "./convert.ts";
import { afterOf, pageToken } from "./page-token.ts";

export async function getUsage(
  repository: Repository,
  limits: Limits,
  { prefix, pageSize, pageToken: token }: contract.GetUsageRequest,
): Promise<MessageInitShape<typeof contract.GetUsageResponseSchema>> {
  const identity = ["usage", prefix];
  const size = pageSizeOf(pageSize, limits);
  const after = afterOf(token, identity);
  const all = (await repository.usage()).filter(({ service }) => service.startsWith(prefix));
  const [lastService = "", lastType = ""] = after === undefined ? [] : (JSON.parse(after) as string[]);
  const following = all.filter(
    ({ service, type }) => (compareUtf8(service, lastService) || compareUtf8(type, lastType)) > 0,
  );
  const { items, isMore } = cutPage(following, size, limits.pageBytes, ({ service }) => nameBytes({ name: service }));
  const last = isMore ? items.at(-1) : undefined;
  return {
    usages: items.map(usageMessage),
    nextPageToken: pageToken(last && JSON.stringify([last.service, last.type]), identity),
    total: usageMessage(totalOf(all)),
  };
}

function usageMessage(usage: Usage): MessageInitShape<typeof contract.UsageSchema> {
  const { service, type, firstNs, lastNs } = usage;
  return {
    service,
    profileType: type,
    profileCount: BigInt(usage.profiles),
    packedProfileCount: BigInt(usage.packedProfiles),
    seriesCount: BigInt(usage.series),
    sentBytes: BigInt(usage.sentBytes),
    originalBytes: BigInt(usage.originalBytes),
    packBytes: BigInt(usage.packBytes),
    ...(firstNs !== undefined && { firstStartTime: timestampOf(firstNs) }),
    ...(lastNs !== undefined && { lastStartTime: timestampOf(lastNs) }),
  };
}

function totalOf(usages: readonly Usage[]): Usage {
  const sum = (of: (usage: Usage) => number) => usages.reduce((total, usage) => total + of(usage), 0);
  const firsts = usages.flatMap(({ firstNs }) => (firstNs === undefined ? [] : [firstNs]));
  const lasts = usages.flatMap(({ lastNs }) => (lastNs === undefined ? [] : [lastNs]));
  return {
    service: "",
    type: "",
    profiles: sum(({ profiles }) => profiles),
    packedProfiles: sum(({ packedProfiles }) => packedProfiles),
    series: sum(({ series }) => series),
    sentBytes: sum(({ sentBytes }) => sentBytes),
    originalBytes: sum(({ originalBytes }) => originalBytes),
    packBytes: sum(({ packBytes }) => packBytes),
    ...(firsts.length > 0 && { firstNs: firsts.reduce(earlierOf), lastNs: lasts.reduce(laterOf) }),
  };
}
