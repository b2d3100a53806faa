// A policy between its three forms: the file that people write (src/model/pgo-policy-text.ts), the contract's message, the YAML that is printed.

import { fromJsonString, type JsonObject, toJson } from "@bufbuild/protobuf";
import { parse, stringify, YAMLParseError } from "yaml";
import { type PgoPolicy, PgoPolicySchema } from "../../../gen/profusion/v1/pgo_service_pb.ts";
import { DomainError } from "../../model/errors.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { readPgoPolicy, writePgoPolicy } from "../../model/pgo-policy-text.ts";
import { quote } from "../../model/text.ts";
import { placedYamlFault } from "../../yaml-fault.ts";

const WEIGHTING = "PGO_WEIGHTING_";
const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
] as const;

/** Of YAML or JSON. Throws `invalid`, naming `file` and what is wrong in it. */
export function readPolicyText(text: string, name: string, file: string): PgoPolicy {
  const { weighting, ...plain } = writePgoPolicy(readPgoPolicy(file, name, parsed(text, file), DEFAULT_LIMITS));
  const json = { ...plain, name, weighting: `${WEIGHTING}${String(weighting).toUpperCase()}` };
  return fromJsonString(PgoPolicySchema, JSON.stringify(json));
}

/** Every rule, and no name: readPolicyText() reads it. */
export function policyYaml(policy: PgoPolicy): string {
  const json = toJson(PgoPolicySchema, policy, { alwaysEmitImplicit: true, useProtoFieldName: true }) as JsonObject;
  const { name: _, window, min_samples: minSamples, weighting, ...rest } = json;
  return stringify({
    ...(window && { window: spanText(String(window)) }),
    min_samples: Number(minSamples),
    weighting: String(weighting).slice(WEIGHTING.length).toLowerCase(),
    ...rest,
  });
}

/** 604800s is 7d. */
export function spanText(written: string): string {
  const seconds = Number(written.slice(0, -1));
  const [unit, size] = UNITS.find(([, each]) => seconds > 0 && seconds % each === 0) ?? ["s", 1];
  return `${seconds / size}${unit}`;
}

function parsed(text: string, file: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 }) ?? {};
  } catch (cause) {
    if (!(cause instanceof YAMLParseError || cause instanceof ReferenceError)) throw cause;
    const fault = cause instanceof YAMLParseError ? placedYamlFault(cause) : "it has aliases, which are not followed";
    throw new DomainError("invalid", `Cannot read ${quote(file)}: ${fault}`, { cause });
  }
}
