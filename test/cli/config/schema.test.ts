// `config schema`: a JSON Schema that a validator of others accepts, and that judges files as `config check` does.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { configurationSchema } from "../../../src/cli/config/json-schema.ts";
import { checkConfiguration } from "../../../src/cli/config/load.ts";
import { SETTINGS } from "../../../src/cli/config/settings.ts";

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
const schema = configurationSchema();
const isValid = ajv.compile(schema);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-schema-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function isAccepted(text: string): Promise<boolean> {
  const path = join(folder, "file.yaml");
  writeFileSync(path, text);
  return (await checkConfiguration({ flags: { config: path }, environment: {} })).faults.length === 0;
}

describe("both accept", () => {
  test.each([
    "",
    "limits:\n",
    "listen: 127.0.0.1:1\n",
    'listen: [127.0.0.1:1, "[::1]:2"]\n',
    "data: /a b/c\n",
    "tls_cert: a\ntls_key: b\n",
    "pack: true\n",
    "pack: off\n",
    "originals: keep\n",
    "originals: 1.5h30m\n",
    'pack: "true"\n',
    "pack: True\n",
    'data: "3"\n',
    'limits: {samples: "5"}\n',
    "limits: {samples: 0x10}\n",
    "log_level: silent\n",
    "limits: {labels: 1, body_bytes: 1, inflated_bytes: 64MiB, request_bytes: 1 GiB, page_bytes: 5B}\n",
    "limits: {merge_ms: 10, regexp_ms: 1h30m, shutdown_ms: 0, pack_share_percent: 30%, pack_rewrite_percent: 100}\n",
  ])("%j", async (text) => {
    expect([isValid(parse(text)), await isAccepted(text)]).toEqual([true, true]);
  });
});

describe("both refuse", () => {
  test.each([
    "- a\n",
    "a\n",
    "unknown: 1\n",
    "limits: {unknown: 1}\n",
    "limits: 1\n",
    "limits: [1]\n",
    "listen: 1\n",
    "listen: []\n",
    "listen: [[a]]\n",
    "listen: host\n",
    "listen: a:70000\n",
    "data: 3\n",
    'data: "a\\0b"\n',
    "data: ~/x\n",
    "tls_cert: a\n",
    "limits: {merge_ms: 100d}\n",
    "limits: {merge_ms: 24d1s}\n",
    "limits: {pack_share_percent: 250%}\n",
    "limits: {body_bytes: 9000TiB}\n",
    "data:\n",
    'data: ""\n',
    "data: [a]\n",
    "pack: perhaps\n",
    "originals: week\n",
    "log_level: loud\n",
    "limits: {labels: 0}\n",
    "limits: {labels: 1.5}\n",
    "limits: {labels: many}\n",
    "limits: {body_bytes: -1}\n",
    "limits: {body_bytes: 64MB}\n",
    "limits: {merge_ms: 1y}\n",
    "limits: {merge_ms: 3000000000}\n",
    "limits: {pack_share_percent: 101}\n",
    "limits: {labels: [1]}\n",
  ])("%j", async (text) => {
    expect([isValid(parse(text)), await isAccepted(text)]).toEqual([false, false]);
  });
});

test("each setting has its description and its default in it, and the default is valid", () => {
  const properties = (schema as { properties: Record<string, { properties?: object }> }).properties;
  const described = { ...properties, ...properties.limits!.properties } as Record<string, Record<string, unknown>>;
  for (const { key, description, default: text } of SETTINGS) {
    const own = described[key.split(".").at(-1)!]!;
    expect(own.description, key).toBe(description);
    expect(text === undefined ? text : String(own.default), key).toBe(text);
    const place = key.startsWith("limits.")
      ? { limits: { [key.slice("limits.".length)]: own.default } }
      : { [key]: own.default };
    if (text !== undefined) expect(isValid(place), key).toBe(true);
  }
});
