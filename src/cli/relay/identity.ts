// What a relay adds to an upload: a service where the query may name one and does not, labels beside those that it names, and a key where
// the sender brings none. All else goes on as it came.

import type { Exchange } from "../../http/exchange.ts";
import { parseParameters } from "../../http/query-parameters.ts";
import type { Label } from "../../model/labels.ts";
import type { SpooledUpload } from "./spool.ts";
import type { RelayedUpload } from "./uploads.ts";

export interface Identity {
  service: string | undefined;
  labels: readonly Label[];
}

/** The others are of one connection, or describe the bytes on their way to here. */
const FORWARDED = ["content-type", "authorization", "user-agent", "traceparent"];

export function identified(
  exchange: Exchange,
  { queryNamesService }: RelayedUpload,
  { service, labels }: Identity,
): Omit<SpooledUpload, "body"> {
  const { request, path, query } = exchange;
  const parameters = parseParameters(query);
  const pairs = query === "" ? [] : query.split("&");
  if (service !== undefined && queryNamesService && !parameters.get("service")) {
    pairs.unshift(`service=${encodeURIComponent(service)}`);
  }
  if (labels.length > 0) {
    // Escaped once as a list, and once more as a parameter, as profefe's agent has it.
    const list = labels.map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join(",");
    const named = pairs.findIndex((pair) => pair.startsWith("labels="));
    const before = named < 0 ? "labels=" : `${pairs[named]},`;
    pairs.splice(named < 0 ? pairs.length : named, 1, `${before}${encodeURIComponent(list)}`);
  }
  const headers = FORWARDED.flatMap((name) => {
    const value = request.headers[name];
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  return { target: pairs.length === 0 ? path : `${path}?${pairs.join("&")}`, headers: Object.fromEntries(headers) };
}
