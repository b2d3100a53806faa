// profefe's JSON: the envelope of every answer, the profile object, and errors. Its keys and its order are profefe's.

import type { Refusal } from "../../http/errors.ts";
import type { Exchange } from "../../http/exchange.ts";
import { type AnswerHeaders, sendText, startAnswer, writeChunk } from "../../http/send.ts";
import type { ProfileRecord } from "../../model/profile-record.ts";
import { formatTime, NS_PER_SECOND } from "../../model/time.ts";

const JSON_TYPE = { "content-type": "application/json" };

export function sendEnvelope(exchange: Exchange, body: unknown, headers: AnswerHeaders = {}): void {
  sendText(exchange, 200, `${json({ code: 200, body })}\n`, { ...JSON_TYPE, ...headers });
}

/** Sends a list a page at a time, so that no more than a page of it is held. Every page has at least one item. */
export async function streamEnvelope(
  exchange: Exchange,
  firstPage: readonly unknown[],
  otherPages: AsyncIterable<readonly unknown[]>,
): Promise<void> {
  if (!startAnswer(exchange, 200, JSON_TYPE)) return;
  if (exchange.method !== "HEAD") {
    await writeChunk(exchange, `{"code":200,"body":[${items(firstPage)}`);
    for await (const page of otherPages) await writeChunk(exchange, `,${items(page)}`);
    await writeChunk(exchange, "]}\n");
  }
  exchange.response.end();
}

/** profefe's agent drops a profile on any 4xx and tries again on any 5xx: "later" must be a 5xx. */
export function refuseAsEnvelope(exchange: Exchange, { status, message, headers, error }: Refusal): void {
  const code = error?.kind === "exhausted" ? 503 : status;
  const text = code === 404 ? "nothing found" : code === 500 ? "internal server error" : message;
  sendText(exchange, code, `${json({ code, error: text })}\n`, { ...JSON_TYPE, ...headers });
}

export function profileObject(record: ProfileRecord): unknown {
  const { id, externalId, type, service, labels, timeNs } = record;
  return {
    id,
    ...(externalId !== undefined && { external_id: externalId }),
    type,
    service,
    ...(labels.length > 0 && { labels: labels.map(({ name, value }) => ({ key: name, value })) }),
    created_at: formatTime(timeNs - (timeNs % NS_PER_SECOND)),
  };
}

function items(page: readonly unknown[]): string {
  return page.map(json).join(",");
}

/** Go's encoder escapes these, so that JSON may stand inside HTML. 64-bit numbers are texts. */
export function json(value: unknown): string {
  const written = JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}` : each));
  return written.replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
