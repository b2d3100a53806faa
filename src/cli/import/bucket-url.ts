// s3://bucket/prefix and gs://bucket/prefix.

import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";

export interface BucketUrl {
  url: string;
  bucket: string;
  /** "" is all of the bucket. */
  prefix: string;
}

/** Throws `invalid`. */
export function parseBucketUrl(text: string, scheme: "s3" | "gs"): BucketUrl {
  const [, bucket, prefix = ""] = new RegExp(`^${scheme}://([^/?#@:]+)(?:/(.*))?$`, "s").exec(text) ?? [];
  if (bucket !== undefined) return { url: text, bucket, prefix };
  throw new DomainError(
    "invalid",
    `Cannot import from ${quote(text)}: write ${scheme}://BUCKET or ${scheme}://BUCKET/PREFIX`,
  );
}

/** Throws `invalid`, without showing it, where it has a user or a password: arguments are seen by all who list processes. */
export function checkEndpoint(text: string | undefined): void {
  if (text === undefined || !URL.canParse(text)) return;
  const { username, password } = new URL(text);
  if (username === "" && password === "") return;
  throw new DomainError("invalid", "Cannot use an endpoint with a user or a password in it: leave them out");
}
