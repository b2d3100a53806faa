// The settings as a JSON Schema, for editors that check and complete a configuration file.

import type { Setting } from "./setting.ts";
import { LIMIT_SETTINGS, LIMITS_SECTION, PLAIN_SETTINGS, SETTINGS } from "./settings.ts";

/** What takes two settings to tell, and what a schema can tell: half of TLS is none. */
const TOGETHER = { tls_cert: ["tls_key"], tls_key: ["tls_cert"], tls_client_ca: ["tls_cert", "tls_key"] };

export function configurationSchema(): object {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of a Profusion server",
    ...section(PLAIN_SETTINGS, {
      [LIMITS_SECTION]: {
        description: "What users may send, ask and keep, and how long they may take.",
        ...section(LIMIT_SETTINGS),
        // A section whose lines are all comments.
        type: ["object", "null"],
      },
    }),
    type: ["object", "null"],
    dependentRequired: TOGETHER,
    $defs: Object.fromEntries(
      SETTINGS.flatMap(({ kind: { schemaName, schema } }) => (schemaName === undefined ? [] : [[schemaName, schema]])),
    ),
  };
}

function section(settings: readonly Setting[], others: object = {}): object {
  const own = settings.map((setting) => [setting.key.split(".").at(-1)!, schemaOf(setting)]);
  return { type: "object", additionalProperties: false, properties: { ...Object.fromEntries(own), ...others } };
}

function schemaOf({ kind, isList, description, default: text }: Setting): object {
  const one = kind.schemaName === undefined ? kind.schema : { $ref: `#/$defs/${kind.schemaName}` };
  const list = { type: "array", items: one, minItems: 1 };
  const value = isList ? { anyOf: [one, list] } : one;
  return { description, ...value, ...(text !== undefined && { default: asJson(text) }) };
}

function asJson(text: string): unknown {
  return /^(true|false|\d+)$/.test(text) ? JSON.parse(text) : text;
}
