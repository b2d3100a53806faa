// GET /api/0/profiles/merge and /api/0/profiles/<id>[+<id>…]: profiles as files, one as it was sent or several as their sum.

import { readBody } from "../../http/body.ts";
import { isNotModified, sendDownload, sendNotModified } from "../../http/download.ts";
import { unescapePath } from "../../http/escapes.ts";
import type { Exchange } from "../../http/exchange.ts";
import { warningHeader } from "../../http/header-text.ts";
import { holdAnswer } from "../../http/hold-answer.ts";
import { badRequest, parseParameters } from "../../http/query-parameters.ts";
import { sendBytes } from "../../http/send.ts";
import { EVERYTHING, type Selector } from "../../model/selector.ts";
import { profileEtag } from "../../repository/profile-etag.ts";
import type { MergeSummary, Selection } from "../../repository/repository.ts";
import { PROFILES_PATH, type ProfefeContext } from "./context.ts";
import { refuseAsEnvelope } from "./envelope.ts";
import { readMaxNodes, readProfileQuery } from "./parameters.ts";

const BINARY_TYPE = { "content-type": "application/octet-stream" };

export async function mergeFound(exchange: Exchange, context: ProfefeContext): Promise<void> {
  const parameters = parseParameters(exchange.query);
  const query = readProfileQuery(parameters, context.limits, context.nowNs());
  const { selector, interval, limit } = query;
  const unfit = unmergeable(selector);
  if (unfit) {
    refuseAsEnvelope(exchange, {
      status: 405,
      message: `can't merge profiles of ${unfit} type`,
      headers: { allow: "GET, HEAD, POST" },
    });
    return;
  }
  const selection = { selector, interval, ...(limit !== undefined && { maxProfiles: limit }) };
  await sendMerge(exchange, context, selection, typeName(selector), readMaxNodes(parameters));
}

/** POST of an id list that is too long for a URL: ids separated by `+` or white space. Without a body it is the GET. */
export async function mergePosted(exchange: Exchange, context: ProfefeContext): Promise<void> {
  const { limits, budget } = context;
  using body = await readBody(exchange, limits.headerBytes, budget);
  const ids = Buffer.from(body.bytes)
    .toString("latin1")
    .split(/[+\s]+/)
    .filter((id) => id !== "");
  if (ids.length === 0) await mergeFound(exchange, context);
  else await sendIds(exchange, context, ids);
}

/** Ids are opaque and may hold any escaped character: the path is decoded twice, then cut at each plus. */
export async function getByIds(exchange: Exchange, context: ProfefeContext): Promise<void> {
  const decoded = unescapePath(exchange.path.slice(PROFILES_PATH.length)).replace(/^\/+|\/+$/g, "");
  const ids = unescapePath(decoded).split("+");
  if (ids.includes("")) throw badRequest("an id is missing: write one id, or several with + between them");
  await sendIds(exchange, context, ids);
}

async function sendIds(exchange: Exchange, context: ProfefeContext, ids: readonly string[]): Promise<void> {
  const { limits } = context;
  if (ids.length > limits.idsPerRequest) {
    throw badRequest(`cannot merge ${ids.length} ids: at most ${limits.idsPerRequest} are allowed in one request`);
  }
  const [only] = ids;
  if (ids.length === 1) await sendOriginal(exchange, context, only!);
  else await sendMerge(exchange, context, { selector: EVERYTHING, ids }, "merged");
}

async function sendOriginal(exchange: Exchange, { repository, answers }: ProfefeContext, id: string): Promise<void> {
  for (;;) {
    const record = await repository.get(id);
    const etag = profileEtag(record);
    const isSent = await sendDownload(exchange, {
      ...(record.rebuilt ? {} : { sizeBytes: record.sizeBytes }),
      etag,
      headers: { ...BINARY_TYPE, ...attachment(record.id), "cache-control": "private, max-age=31536000, immutable" },
      read: async () => {
        await holdAnswer(exchange.response, record.sizeBytes, answers, exchange.signal);
        const { record: current, bytes } = await repository.download(record.id);
        return profileEtag(current) === etag ? bytes : undefined;
      },
    });
    // It was packed between the two looks: now it is, for good.
    if (isSent) return;
  }
}

async function sendMerge(
  exchange: Exchange,
  { repository, answers }: ProfefeContext,
  selection: Selection,
  filename: string,
  maxNodes?: number,
): Promise<void> {
  const { column } = selection.selector;
  const { bytes, summary } = await repository.merge({
    selection,
    ...(column && { columns: [column] }),
    verbatimSingle: column === undefined,
    maxNodes,
    reserve: (answerBytes) => holdAnswer(exchange.response, answerBytes, answers, exchange.signal),
    signal: exchange.signal,
  });
  const headers = {
    ...BINARY_TYPE,
    ...attachment(filename),
    ...summaryHeaders(summary),
    etag: `"${summary.etag}"`,
    "cache-control": "private, no-cache",
  };
  if (isNotModified(exchange, summary.etag)) {
    sendNotModified(exchange, headers);
    return;
  }
  sendBytes(exchange, 200, bytes, headers);
}

function summaryHeaders({ matched, merged, skipped, warnings }: MergeSummary): Record<string, string> {
  const left = skipped.map(({ reason, count }) => `${reason}=${count}`).join(", ");
  return {
    "profusion-matched": String(matched),
    "profusion-merged": String(merged),
    ...(left !== "" && { "profusion-skipped": left }),
    ...warningHeader(warnings),
  };
}

/** Why a selection cannot be summed by its type alone. */
function unmergeable({ types }: Selector): "unknown" | "trace" | undefined {
  if (types.length === 0) return "unknown";
  return types.some(({ operator, value }) => operator === "=" && value === "trace") ? "trace" : undefined;
}

function typeName({ types }: Selector): string {
  const [first] = types;
  return first?.operator === "=" ? first.value : "merged";
}

/** `name` is a type or an id of ours: plain words. An id list is too long for a header that Node's clients accept. */
function attachment(name: string): Record<string, string> {
  return { "content-disposition": `attachment; filename="${name}"` };
}
