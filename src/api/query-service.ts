// QueryService: questions over any set of profiles. Contract in, one call of the repository, contract out.

import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type * as messages from "../../gen/profusion/v1/query_service_pb.ts";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { formatSelector } from "../model/selector.ts";
import { cutPage, nameBytes, seriesBytes } from "../repository/page.ts";
import type { MergeAnswer, Repository } from "../repository/repository.ts";
import type { ListQuery, NameCount } from "../storage/catalog.ts";
import { seriesKey } from "../storage/series-key.ts";
import { chunksOf } from "./chunks.ts";
import {
  intervalOf,
  matcherMessage,
  pageSizeOf,
  selectionOf,
  selectorOf,
  summaryMessage,
  timestampOf,
  valueTypesOf,
} from "./convert.ts";
import { holdAnswerKey } from "./hold-answer.ts";
import { afterOf, pageToken } from "./page-token.ts";
import { listTopFunctions } from "./top.ts";

/** What a summary may take of a unary answer beside the profile. */
const SUMMARY_BYTES = 64 * 1024;

export function queryService(repository: Repository, limits: Limits): ServiceImpl<typeof messages.QueryService> {
  return {
    async mergeProfiles(request, context) {
      const { bytes, summary } = await merge(request, context, (answerBytes) => checkUnary(answerBytes, limits));
      // Weak: the summary beside the profile may count packs differently for the same sum.
      context.responseHeader.set("ETag", `W/"${summary.etag}"`);
      return { profileBytes: bytes, summary: summaryMessage(summary) };
    },

    async *streamMergedProfile(request, context) {
      const { bytes, summary } = await merge(request, context);
      yield { part: { case: "summary" as const, value: summaryMessage(summary) } };
      for (const chunk of chunksOf(bytes)) yield { part: { case: "chunk" as const, value: chunk } };
    },

    listTopFunctions: (request, { signal }) => listTopFunctions(repository, limits, request, signal),

    parseSelector({ selector: text }) {
      const selector = selectorOf(text, limits);
      const { services, types, labels, column } = selector;
      return {
        canonicalSelector: formatSelector(selector),
        matchers: [...services, ...types, ...labels].map(matcherMessage),
        ...(column && { sampleType: column }),
      };
    },

    async listServices(request) {
      const { names, nextPageToken } = await namesPage("services", request, (query) => repository.services(query));
      return { services: names, nextPageToken };
    },

    async listProfileTypes(request) {
      const { names, nextPageToken } = await namesPage("types", request, (query) => repository.types(query));
      return { profileTypes: names, nextPageToken };
    },

    async listLabelNames(request) {
      const { names, nextPageToken } = await namesPage("labels", request, (query) => repository.labelNames(query));
      return { labelNames: names, nextPageToken };
    },

    async listLabelValues(request) {
      const { labelName } = request;
      if (labelName === "") throw new DomainError("invalid", "Cannot list the values of no label: set label_name");
      const list = (query: ListQuery) => repository.labelValues(labelName, query);
      const { names, nextPageToken } = await namesPage(`values ${labelName}`, request, list);
      return { labelValues: names, nextPageToken };
    },

    async listSeries(request) {
      const { query, identity, pageSize } = listQuery("series", { ...request, prefix: "" });
      const found = await repository.series(query);
      const { items: rows, isMore } = cutPage(found, pageSize, limits.pageBytes, seriesBytes);
      const last = isMore ? rows.at(-1) : undefined;
      return {
        series: rows.map(({ service, type, labels, profiles, firstNs, lastNs }) => ({
          service,
          profileType: type,
          labels: [...labels],
          profileCount: BigInt(profiles),
          firstStartTime: timestampOf(firstNs),
          lastStartTime: timestampOf(lastNs),
        })),
        nextPageToken: pageToken(last && seriesKey(last), identity),
      };
    },
  };

  function merge(
    {
      selection: selectionMessage,
      sampleTypes,
      strict,
      maxNodes,
    }: messages.MergeProfilesRequest | messages.StreamMergedProfileRequest,
    { signal, values }: HandlerContext,
    check = (_answerBytes: number) => {},
  ): Promise<MergeAnswer> {
    const selection = selectionOf(selectionMessage, limits);
    const { column } = selection.selector;
    const columns = valueTypesOf(sampleTypes, limits) ?? (column && [column]);
    const reserve = async (answerBytes: number) => {
      check(answerBytes);
      await values.get(holdAnswerKey)(answerBytes);
    };
    if (maxNodes < 0) throw new DomainError("invalid", `Cannot take max_nodes ${maxNodes}: it must be 0 (all) or more`);
    return repository.merge({
      selection,
      strict,
      reserve,
      signal,
      maxNodes: maxNodes || undefined,
      ...(columns && { columns }),
    });
  }

  async function namesPage(
    list: string,
    request: ListRequest,
    ask: (query: ListQuery) => Promise<NameCount[]>,
  ): Promise<{ names: { name: string; profileCount: bigint }[]; nextPageToken: string }> {
    const { query, identity, pageSize } = listQuery(list, request);
    const found = await ask(query);
    const { items: names, isMore } = cutPage(found, pageSize, limits.pageBytes, nameBytes);
    return {
      names: names.map(({ name, profiles }) => ({ name, profileCount: BigInt(profiles) })),
      nextPageToken: pageToken(isMore ? names.at(-1)?.name : undefined, identity),
    };
  }

  /** Asks for one more than the page holds: whether there is one says whether a page follows. */
  function listQuery(list: string, request: ListRequest) {
    const selector = selectorOf(request.selector, limits);
    const interval = intervalOf(request.interval);
    const pageSize = pageSizeOf(request.pageSize, limits);
    const identity = [list, formatSelector(selector), `${interval?.startNs}`, `${interval?.endNs}`, request.prefix];
    const after = afterOf(request.pageToken, identity);
    const query: ListQuery = {
      selector,
      prefix: request.prefix,
      limit: pageSize + 1,
      ...(interval && { interval }),
      ...(after !== undefined && { after }),
    };
    return { query, identity, pageSize };
  }
}

function checkUnary(answerBytes: number, limits: Limits): void {
  const allowedBytes = Math.max(0, limits.unaryResultBytes - SUMMARY_BYTES);
  if (answerBytes <= allowedBytes) return;
  throw new DomainError(
    "too-large",
    `Cannot answer ${answerBytes} bytes at once: at most ${allowedBytes} are allowed; ask StreamMergedProfile, or GET /api/0/profiles/merge`,
    { subject: "result" },
  );
}

/** What the requests of all lists have. */
type ListRequest = Pick<messages.ListServicesRequest, "selector" | "interval" | "prefix" | "pageSize" | "pageToken">;
