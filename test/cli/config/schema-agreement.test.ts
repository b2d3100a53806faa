// The schema and the loader judge every file alike, but for what a schema cannot say: two limits against each other, an address that is there twice,
// and what the files that settings name hold. Generated files, each made of values that are nearly right, judged by a validator of others and by the loader.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { configurationSchema } from "../../../src/cli/config/json-schema.ts";
import { checkConfiguration } from "../../../src/cli/config/load.ts";
import { LIMIT_SETTINGS, PLAIN_SETTINGS } from "../../../src/cli/config/settings.ts";
import { LIMITS } from "../../../src/model/limits.ts";
import { Random } from "../../support/random.ts";

const FILES = 2000;
const NEVER_ALONE = [
  "quarantine_profiles",
  "page_size_default",
  "page_size_max",
  "disk_reserve_min_bytes",
  "disk_reserve_max_bytes",
];
const isValid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(configurationSchema());
const seed = Number(process.env.PROFUSION_FUZZ_SEED ?? 20261128);
const random = new Random(seed);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-agreement-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Around every end that a number may have: those of units, of ports, of what JavaScript counts exactly. */
const ENDS = [0, 1, 24, 59, 99, 100, 576, 999, 1023, 1024, 8191, 34_560, 65_535, 2_073_600, 2_073_600_000, 2 ** 53];
const number = () => Math.max(0, random.pick(ENDS) + random.between(-1, 1));
const UNITS = ["", "", "B", "KiB", " MiB", "GiB", "TiB", "MB", "%", "ms", "s", "m", "h", "d", "w", " h", "us"];
const spelled = () => {
  const some = String(number());
  return random.pick([
    some,
    some,
    some,
    `0${some}`,
    `${some}.0`,
    `${some}.5`,
    `-${some}`,
    `+${some}`,
    `${some}e3`,
    `0x${some}`,
  ]);
};
const amount = () => `${spelled()}${random.pick(UNITS)}`;
const duration = () =>
  Array.from(
    { length: random.between(1, 5) },
    (_, at) => `${random.pick([0, 1, 5, 23, 24, 59, 60, 575, 999])}${["d", "h", "m", "s", "ms"][at]}`,
  ).join("");
const ODD = [
  "",
  "~",
  "null",
  "true",
  "True",
  "off",
  "yes",
  "[]",
  "{}",
  "[a]",
  "~/x",
  "~x",
  "a b",
  '"a\\0b"',
  ".inf",
  "keep",
  "info",
  "INFO",
];
const HOSTS = [
  "127.0.0.1",
  "localhost",
  "0.0.0.0",
  "a-b.c",
  "-a",
  "*",
  "",
  "a b",
  "[::1]",
  "[::]",
  "[1::2::3]",
  "[1:2:3:4:5:6:7:8]",
  "[1:2:3:4:5:6:7:8:9]",
  "[::1%eth0]",
  "::1",
  "[1:2:3:4:5:6:7::]",
  "[12345::]",
];
/** What these files hold is not the schema's. */
const READ_FILES = ["pgo_policies", "keys", "pgo_fleet_submit_keys", "pgo_fleet_merge_keys", "autopgo_prune"];
const address = () => `${random.pick(HOSTS)}:${random.pick([String(number()), spelled(), "80", "x", ""])}`;
const word = () => random.pick([amount, amount, duration, address, () => random.pick(ODD)])();
const scalar = () => random.pick([(text: string) => text, JSON.stringify, JSON.stringify])(word());
const list = () => {
  const some = Array.from({ length: random.between(0, 3) }, () => JSON.stringify(address()));
  return `[${[...new Set(some)].join(", ")}]`;
};
const SOUND: Record<string, () => string> = {
  bytes: () => `${number()}${random.pick(["", "B", "KiB", " MiB", "GiB"])}`,
  ms: () => random.pick([duration(), String(number()), `${number()}${random.pick(["ms", "s", "m"])}`]),
  percent: () => `${number()}${random.pick(["", "%"])}`,
  count: () => String(number()),
};
const value = () => (random.between(0, 9) === 0 ? list() : scalar());

function line(): string {
  if (random.between(0, 3) > 0) {
    const { key, name } = random.pick(
      LIMIT_SETTINGS.filter((each) => !NEVER_ALONE.includes(each.key.slice("limits.".length))),
    );
    const sound = SOUND[LIMITS[name as keyof typeof LIMITS].unit]!;
    return `limits:\n  ${key.slice("limits.".length)}: ${random.pick([value, sound])()}\n`;
  }
  const { key, isList } = random.pick(PLAIN_SETTINGS.filter((each) => !READ_FILES.includes(each.key)));
  return `${key}: ${isList ? random.pick([list, value, () => JSON.stringify(address())])() : value()}\n`;
}

async function isAccepted(text: string): Promise<boolean> {
  const path = join(folder, "file.yaml");
  writeFileSync(path, text);
  return (await checkConfiguration({ flags: { config: path }, environment: {} })).faults.length === 0;
}

function isSchemaValid(text: string): boolean | undefined {
  try {
    return isValid(parse(text, { logLevel: "error" }));
  } catch {
    // No YAML at all: an editor says so before it asks a schema.
    return undefined;
  }
}

test(`of ${FILES} generated files none is judged differently (seed ${seed})`, async () => {
  const counts = { accepted: 0, refused: 0 };
  for (let round = 0; round < FILES; round++) {
    const text = line();
    const bySchema = isSchemaValid(text);
    const byLoader = await isAccepted(text);
    if (bySchema === undefined) expect(byLoader, text).toBe(false);
    else expect(byLoader, `seed ${seed}, round ${round}: ${text}`).toBe(bySchema);
    counts[byLoader ? "accepted" : "refused"]++;
  }
  expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(FILES / 10);
});

test("every limit is accepted at both its ends in every unit that reaches them, and refused beyond them", async () => {
  const texts = LIMIT_SETTINGS.flatMap(({ key, name }) => {
    const { min, max, unit } = LIMITS[name as keyof typeof LIMITS];
    const units = { bytes: ["", "B"], ms: ["", "ms"], percent: ["", "%"], count: [""] }[unit];
    const larger = { bytes: ["8191TiB", "8192TiB"], ms: ["24d", "24d1ms"], percent: ["100%", "101%"], count: [] }[unit];
    const all = [...[min, max, min - 1, max + 1].flatMap((end) => units.map((each) => `${end}${each}`)), ...larger];
    return all.map((text) => ({ text: `limits: {${key.slice("limits.".length)}: "${text}"}`, key }));
  });
  let accepted = 0;
  for (const { text, key } of texts.filter(({ key }) => !NEVER_ALONE.includes(key.slice("limits.".length)))) {
    const byLoader = await isAccepted(text);
    expect(isSchemaValid(text), `${key}: ${text}`).toBe(byLoader);
    if (byLoader) accepted++;
  }
  expect(accepted).toBeGreaterThan(100);
});
