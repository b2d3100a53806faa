// What a POST carries: the parts named cpu_profile of a multipart body, as pcapture sends one; or a profile as the body itself.

import { DomainError } from "../../model/errors.ts";
import { checkPgoShape } from "../../model/pgo-shape.ts";
import { quote } from "../../model/text.ts";
import type { PushRequest } from "../../repository/repository.ts";
import { readParts } from "./parts.ts";

const PART_NAME = "cpu_profile";
const MULTIPART = /^multipart\/form-data/i;

/** Throws `invalid` before anything is stored where one part has another name. */
export function profilesIn(
  contentType: string | undefined,
  body: Uint8Array,
): Required<Pick<PushRequest, "bytes" | "judge">>[] {
  if (contentType === undefined || !MULTIPART.test(contentType)) return [{ bytes: body, judge: checkPgoShape }];
  const parts = readParts(contentType, body);
  const stranger = parts.find(({ name }) => name !== PART_NAME);
  if (stranger) {
    throw new DomainError("invalid", `Unrecognized file: ${quote(stranger.name)}; send parts named ${PART_NAME}`);
  }
  return parts.map(({ bytes }) => ({ bytes, judge: checkPgoShape }));
}
