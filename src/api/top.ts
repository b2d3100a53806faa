// QueryService.ListTopFunctions: contract in, one ranking of the repository, a page of it out.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { AggregationMethod } from "../../gen/profusion/v1/profile_pb.ts";
import type * as messages from "../../gen/profusion/v1/query_service_pb.ts";
import { type TopFunctionSchema, TopGrouping, TopOrder } from "../../gen/profusion/v1/query_service_pb.ts";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { formatSelector } from "../model/selector.ts";
import { utf8Bytes } from "../model/text.ts";
import type { TopRow } from "../pprof/top.ts";
import { cutPage } from "../repository/page.ts";
import type { AggregationMethod as Method, Repository, TopRequest } from "../repository/repository.ts";
import { decodeTopRows } from "../repository/top-ranking.ts";
import { namedValue, pageSizeOf, selectionOf, summaryMessage } from "./convert.ts";
import { afterOf, pageToken } from "./page-token.ts";

const GROUPINGS = new Map<number, TopRequest["grouping"]>([
  [TopGrouping.UNSPECIFIED, "function"],
  [TopGrouping.FUNCTION, "function"],
  [TopGrouping.LINE, "line"],
  [TopGrouping.FILE, "file"],
  [TopGrouping.PACKAGE, "package"],
  [TopGrouping.LABEL, "label"],
  [TopGrouping.SERVICE, "service"],
]);

const ORDERS = new Map<number, TopRequest["order"]>([
  [TopOrder.UNSPECIFIED, "flat"],
  [TopOrder.FLAT, "flat"],
  [TopOrder.CUM, "cum"],
]);

const METHODS = new Map<AggregationMethod, Method | "default">([
  [AggregationMethod.UNSPECIFIED, "default"],
  [AggregationMethod.SUM, "sum"],
  [AggregationMethod.MEAN, "mean"],
  [AggregationMethod.LAST, "last"],
  [AggregationMethod.INCREASE, "increase"],
]);

/** Beside its texts. */
const ROW_BYTES = 160;

export async function listTopFunctions(
  repository: Repository,
  limits: Limits,
  message: messages.ListTopFunctionsRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof messages.ListTopFunctionsResponseSchema>> {
  const request = requestOf(message, limits, signal);
  const identity = identityOf(request);
  const from = Number(afterOf(message.pageToken, identity) ?? "0");
  const { bytes, rowCount, total, method, summary } = await repository.top(request);
  const rows = decodeTopRows(bytes);
  const { items, isMore } = cutPage(rows.slice(from), pageSizeOf(message.pageSize, limits), limits.pageBytes, rowBytes);
  return {
    functions: items.map((row) => functionMessage(row, total)),
    nextPageToken: pageToken(isMore ? `${from + items.length}` : undefined, identity),
    totalSize: BigInt(rowCount),
    total,
    aggregation: [...METHODS].find(([, name]) => name === method)![0],
    summary: summaryMessage(summary),
  };
}

function requestOf(message: messages.ListTopFunctionsRequest, limits: Limits, signal: AbortSignal): TopRequest {
  const { sampleType, groupBy, labelKey, order, aggregation, strict } = message;
  const grouping = namedValue(GROUPINGS, groupBy, "group_by");
  if ((grouping === "label") !== (labelKey !== "")) {
    const hint = "set group_by to TOP_GROUPING_LABEL and label_key to the key of a sample label, or neither";
    throw new DomainError("invalid", `Cannot group by ${grouping} with label_key ${JSON.stringify(labelKey)}: ${hint}`);
  }
  const method = namedValue(METHODS, aggregation, "aggregation");
  return {
    selection: selectionOf(message.selection, limits),
    grouping,
    order: namedValue(ORDERS, order, "order"),
    strict,
    signal,
    ...(labelKey !== "" && { labelKey }),
    ...(sampleType && { column: { type: sampleType.type, unit: sampleType.unit } }),
    ...(method !== "default" && { method }),
  };
}

function identityOf({ selection, column, grouping, labelKey, order, method, strict }: TopRequest): string[] {
  const { selector, interval, ids, maxProfiles, strategy } = selection;
  const which = [formatSelector(selector), `${interval?.startNs}`, `${interval?.endNs}`, ids, maxProfiles, strategy];
  return ["top", JSON.stringify([which, column, grouping, labelKey, order, method, strict])];
}

function functionMessage(row: TopRow, total: bigint): MessageInitShape<typeof TopFunctionSchema> {
  const share = (value: bigint) => (total === 0n ? 0 : Number(value) / Number(total));
  return { ...row, flatShare: share(row.flat), cumShare: share(row.cum) };
}

function rowBytes({ name, functionName, file }: TopRow): number {
  return ROW_BYTES + utf8Bytes(name) + utf8Bytes(functionName) + utf8Bytes(file);
}
