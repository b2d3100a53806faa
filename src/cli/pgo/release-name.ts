// `auth@stable`: a service with one of its releases or channels.

import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";

export interface ReleaseName {
  service: string;
  release: string;
}

/** Names of releases and channels have no "@"; those of services may. Throws `invalid`. */
export function parseReleaseName(text: string): ReleaseName {
  const at = text.lastIndexOf("@");
  if (at > 0 && at < text.length - 1) return { service: text.slice(0, at), release: text.slice(at + 1) };
  throw new DomainError("invalid", `Cannot read ${quote(text)}: write SERVICE@NAME, such as auth@stable`);
}
