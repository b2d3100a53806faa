// The contract's JSON writes 64-bit integers as strings. Here those that a double holds become numbers, which scripts can add up.

import { type DescField, type DescMessage, type JsonValue, ScalarType } from "@bufbuild/protobuf";

const WIDE = new Set<ScalarType>([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

/** `json` is what toJson() made of a message of `schema`. Numbers beyond 2^53 stay strings. */
export function withNumbers(schema: DescMessage, json: JsonValue): JsonValue {
  // Timestamps and durations are texts in JSON.
  if (schema.typeName.startsWith("google.protobuf.") || typeof json !== "object" || json === null) return json;
  const fields = schema.fields.map((field) => [field, (json as Record<string, JsonValue>)[field.jsonName]] as const);
  return Object.fromEntries(
    fields.flatMap(([field, value]) => (value === undefined ? [] : [[field.jsonName, fieldWithNumbers(field, value)]])),
  );
}

function fieldWithNumbers(field: DescField, value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((element) => elementWithNumbers(field, element));
  return elementWithNumbers(field, value);
}

function elementWithNumbers(field: DescField, value: JsonValue): JsonValue {
  if (field.message !== undefined && field.fieldKind !== "map") return withNumbers(field.message, value);
  if (field.scalar === undefined || !WIDE.has(field.scalar)) return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
