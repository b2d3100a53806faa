// GET /api/0/profiles and /api/0/services: lists, oldest first, read and sent a page at a time.

import type { Exchange } from "../../http/exchange.ts";
import { parseParameters } from "../../http/query-parameters.ts";
import { DomainError } from "../../model/errors.ts";
import { formatProfileId, parseProfileId } from "../../model/profile-id.ts";
import type { ProfileRecord } from "../../model/profile-record.ts";
import { EVERYTHING } from "../../model/selector.ts";
import type { ProfefeContext } from "./context.ts";
import { profileObject, streamEnvelope } from "./envelope.ts";
import { type ProfileQuery, readProfileQuery } from "./parameters.ts";

export async function findProfiles(exchange: Exchange, context: ProfefeContext): Promise<void> {
  const query = readProfileQuery(parseParameters(exchange.query), context.limits, context.nowNs());
  await sendPages(exchange, profilePages(context, query));
}

export async function listServices(exchange: Exchange, context: ProfefeContext): Promise<void> {
  await sendPages(exchange, servicePages(context));
}

/** profefe says "nothing found" where there is nothing, rather than an empty list. */
async function sendPages(exchange: Exchange, pages: AsyncGenerator<readonly unknown[]>): Promise<void> {
  const first = await pages.next();
  if (first.done) throw new DomainError("not-found", "nothing found");
  await streamEnvelope(exchange, first.value, pages);
}

async function* profilePages(context: ProfefeContext, query: ProfileQuery): AsyncGenerator<readonly unknown[]> {
  const { repository, limits } = context;
  const { selector, interval, limit = Number.POSITIVE_INFINITY } = query;
  let left = limit;
  let afterId = Number.isFinite(limit) ? await idBeforeNewest(context, query, limit) : undefined;
  while (left > 0) {
    const page = await repository.list({
      selector,
      interval,
      order: "oldest",
      limit: Math.min(left, limits.pageSizeMax),
      ...(afterId !== undefined && { afterId }),
    });
    if (page.records.length > 0) yield page.records.map(profileObject);
    if (page.nextAfterId === undefined) return;
    left -= page.records.length;
    afterId = page.nextAfterId;
  }
}

/** The id that lies just before the newest `limit` profiles: walking from there, oldest first, holds one page at a time. */
async function idBeforeNewest(
  { repository, limits }: ProfefeContext,
  { selector, interval }: ProfileQuery,
  limit: number,
): Promise<string | undefined> {
  let left = limit;
  let afterId: string | undefined;
  for (;;) {
    const page = await repository.list({
      selector,
      interval,
      order: "newest",
      limit: Math.min(left, limits.pageSizeMax),
      ...(afterId !== undefined && { afterId }),
    });
    left -= page.records.length;
    const oldest = page.records.at(-1);
    if (left === 0 && oldest) return idBefore(oldest);
    if (page.nextAfterId === undefined) return undefined;
    afterId = page.nextAfterId;
  }
}

/** Ids are 128-bit numbers in the order of lists. */
function idBefore({ id }: ProfileRecord): string {
  const number = BigInt(`0x${Buffer.from(parseProfileId(id)!).toString("hex")}`) - 1n;
  return formatProfileId(Buffer.from(number.toString(16).padStart(32, "0"), "hex"));
}

async function* servicePages({ repository, limits }: ProfefeContext): AsyncGenerator<readonly string[]> {
  let after: string | undefined;
  do {
    const page = await repository.services({
      selector: EVERYTHING,
      prefix: "",
      limit: limits.pageSizeMax,
      ...(after !== undefined && { after }),
    });
    if (page.length > 0) yield page.map(({ name }) => name);
    after = page.length < limits.pageSizeMax ? undefined : page.at(-1)?.name;
  } while (after !== undefined);
}
