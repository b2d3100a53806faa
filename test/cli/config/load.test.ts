// Where values come from, which of them wins, and everything that is wrong, with its place.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { GivenFlags } from "../../../src/cli/config/flags.ts";
import { checkConfiguration, faultLines, loadConfiguration } from "../../../src/cli/config/load.ts";
import type { Setting } from "../../../src/cli/config/setting.ts";
import { LIMIT_SETTINGS, PLAIN_SETTINGS, SETTINGS } from "../../../src/cli/config/settings.ts";
import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";
import { Random } from "../../support/random.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-config-"));
  path = join(folder, "profusion.yaml");
});
afterEach(() => rmSync(folder, { recursive: true }));

const load = (flags: GivenFlags = {}, environment: Record<string, string> = {}) =>
  loadConfiguration({ flags, environment });

/** Of a file with this content, without its path. */
async function faultsOf(content: string | Uint8Array): Promise<string[]> {
  writeFileSync(path, content);
  const { faults } = await checkConfiguration({ flags: { config: path }, environment: {} });
  return faultLines(faults).map((line) => line.replace(`${path}:`, ""));
}

test("a file of PGO policies that cannot be used is a fault of the line that names it", async () => {
  const policies = join(folder, "policies.yaml");
  const faults = async (content: string) => {
    writeFileSync(policies, content);
    return (await faultsOf("\npgo_policies: policies.yaml\n")).map((fault) => fault.replaceAll(policies, "FILE"));
  };
  expect(await faults("auth: {default: {}}")).toEqual([]);
  expect(await faults("")).toEqual([]);
  expect(await faults("auth: {plain: {}}")).toEqual([
    "2:1: Cannot read FILE: auth: plain: plain is every profile as it is; choose another name",
  ]);
  expect(await faults("- auth")).toEqual(['2:1: Cannot read FILE: it is "auth", and names with policies are expected']);
  expect(await faults("auth: &a {default: {}}\nweb: *a")).toEqual([
    "2:1: Cannot read the PGO policies in FILE: it has aliases, which are not followed",
  ]);
  expect((await faults("auth: {"))[0]).toMatch(/^2:1: Cannot read the PGO policies in FILE: /);
  rmSync(policies);
  expect((await faultsOf("pgo_policies: policies.yaml\n"))[0]).toContain("ENOENT");
});

test("every faulty line of the file of keys is told, where the file is named", async () => {
  writeFileSync(join(folder, "keys"), "ci 0123456789abcdef read\nci 0123456789abcdee read\nfoe 0 read\n");
  const found = await faultsOf("data: /d\nkeys: keys\n");
  expect(found).toHaveLength(2);
  expect(found[0]).toMatch(/^2:\d+: .*keys:2: .*"ci" is taken/);
  expect(found[1]).toMatch(/^2:\d+: .*keys:3: .*too short/);
});

test("a file of autopgo's prune rules that cannot be used is a fault of the line that names it", async () => {
  const rules = join(folder, "prune.json");
  writeFileSync(rules, '[{"app": "web", "rules": [{"keep": "x"}]}]');
  expect(await faultsOf("\nautopgo_prune: prune.json\n")).toEqual([
    `2:1: Cannot read the prune rules in ${rules}: entry 1, app "web", rule 1: there is no drop, and keep alone drops nothing`,
  ]);
  writeFileSync(rules, "[]");
  expect(await faultsOf("autopgo_prune: prune.json\n")).toEqual([]);
});

test("certificates in the file of keys need an authority of clients", async () => {
  const keys = join(folder, "certificates");
  writeFileSync(keys, "agents certificate:agent.example write\n");
  expect(await faultsOf(`keys: ${keys}\n`)).toEqual([
    expect.stringContaining(`"agents" of ${keys} by its certificate: set tls_client_ca`),
  ]);
  expect(await faultsOf(`keys: ${keys}\ntls_cert: c\ntls_key: k\ntls_client_ca: a\n`)).toEqual([]);
});

describe("loadConfiguration()", () => {
  test("has the defaults where nothing is said", async () => {
    const { configuration, resolved } = await load();
    expect(configuration).toEqual({
      listen: [{ host: "127.0.0.1", port: 10100 }],
      data: "./data",
      tlsCert: undefined,
      tlsKey: undefined,
      tlsClientCa: undefined,
      pack: true,
      selfProfile: false,
      pgoPolicies: undefined,
      keys: undefined,
      enable: [],
      disable: [],
      autopgoPrune: undefined,
      originals: "until-packed",
      logLevel: "info",
      limits: DEFAULT_LIMITS,
    });
    expect(new Set(resolved.map(({ origin }) => origin))).toEqual(new Set(["default"]));
  });

  test("takes flags before the environment before the file before defaults, and says where each value is from", async () => {
    writeFileSync(path, "data: a\nlog_level: warn\npack: off\nlimits:\n  labels: 1\n  samples: 2\n  columns: 3\n");
    const environment = {
      PROFUSION_CONFIG: path,
      PROFUSION_LOG_LEVEL: "error",
      PROFUSION_LIMIT_LABELS: "10",
      PROFUSION_LIMIT_SAMPLES: "20",
    };
    const { configuration, resolved } = await load({ limit: ["labels=100"], pack: true }, environment);
    expect(configuration).toMatchObject({ data: join(folder, "a"), logLevel: "error", pack: true });
    expect(configuration.limits).toEqual({ ...DEFAULT_LIMITS, labels: 100, samples: 20, columns: 3 });
    const originOf = (key: string) => resolved.find(({ setting }) => setting.key === key)!.origin;
    expect(
      ["limits.labels", "limits.samples", "limits.columns", "limits.label_name_bytes", "data", "pack"].map(originOf),
    )
      // The value's key in the file; it is there that one changes it.
      .toEqual(["--limit labels", "PROFUSION_LIMIT_SAMPLES", `${path}:7:3`, "default", `${path}:1:1`, "--pack"]);
  });

  test("reads a variable of another system where its own is not set", async () => {
    const [theirs, ours] = ["theirs", "ours"].map((name) => join(folder, name));
    for (const file of [theirs!, ours!]) writeFileSync(file, "key\n");
    const environment = { PGOF_SUBMIT_AUTH_KEYS_FILE: theirs! };
    expect((await load({}, environment)).configuration.pgoFleetSubmitKeys).toBe(theirs);
    const both = { ...environment, PROFUSION_PGO_FLEET_SUBMIT_KEYS: ours! };
    expect((await load({}, both)).configuration.pgoFleetSubmitKeys).toBe(ours);
    writeFileSync(theirs!, "key service=\n");
    await expect(load({}, environment)).rejects.toThrow(
      `PGOF_SUBMIT_AUTH_KEYS_FILE: ${theirs}:1: Cannot take a profile`,
    );
  });

  test("reads every setting by its key, its variable and its flag", async () => {
    const texts: Record<string, string> = {
      listen: "127.0.0.1:1",
      data: "/d",
      tls_cert: "/c",
      tls_key: "/k",
      tls_client_ca: "/a",
      originals: "7d",
      self_profile: "true",
      pgo_policies: join(folder, "policies.yaml"),
      pgo_fleet_submit_keys: join(folder, "keys"),
      pgo_fleet_merge_keys: join(folder, "keys"),
      autopgo_prune: join(folder, "prune.json"),
      keys: join(folder, "keys"),
      enable: "profefe",
      disable: "autopgo",
      log_level: "debug",
    };
    writeFileSync(texts.pgo_policies!, "");
    writeFileSync(texts.autopgo_prune!, "[]");
    writeFileSync(texts.keys!, "");
    const textOf = ({ key, kind, default: value }: Setting) =>
      texts[key] ?? (kind.placeholder === "" ? String(value !== "true") : "77");
    const lines = (settings: readonly Setting[], indent = "") =>
      settings.map((setting) => `${indent}${setting.key.split(".").at(-1)}: ${textOf(setting)}\n`).join("");
    writeFileSync(path, `${lines(PLAIN_SETTINGS)}limits:\n${lines(LIMIT_SETTINGS, "  ")}`);
    const environment = Object.fromEntries(SETTINGS.map((setting) => [setting.variable, textOf(setting)]));
    const given = PLAIN_SETTINGS.map((setting) => {
      const text = textOf(setting);
      const value = setting.isList ? [text] : setting.kind.placeholder === "" ? text === "true" : text;
      return [setting.name, value];
    });
    const limit = LIMIT_SETTINGS.map((setting) => `${setting.name}=${textOf(setting)}`);

    const fromFile = await load({ config: path });
    expect(fromFile.configuration).toMatchObject({
      listen: [{ host: "127.0.0.1", port: 1 }],
      originals: { keptNs: 604_800_000_000_000n },
      pack: false,
    });
    expect(new Set(Object.values(fromFile.configuration.limits))).toEqual(new Set([77]));
    expect(fromFile.resolved.some(({ origin }) => origin === "default")).toBe(false);
    expect((await load({}, environment)).configuration).toEqual(fromFile.configuration);
    expect((await load({ ...Object.fromEntries(given), limit })).configuration).toEqual(fromFile.configuration);
  });

  test("reads sizes, durations and shares as people write them, everywhere", async () => {
    writeFileSync(path, 'limits:\n  body_bytes: 1MiB\n  merge_ms: "2m"\n  pack_share_percent: 30%\n');
    const { configuration } = await load(
      { config: path, limit: ["inflated_bytes=2GiB", "regexpMs=3s"] },
      { PROFUSION_LIMIT_REQUEST_BYTES: "10KiB" },
    );
    expect(configuration.limits).toMatchObject({
      bodyBytes: 1024 ** 2,
      mergeMs: 120_000,
      packSharePercent: 30,
      inflatedBytes: 2 * 1024 ** 3,
      regexpMs: 3_000,
      requestBytes: 10_240,
    });
  });

  test("takes a list of addresses from each source", async () => {
    const both = [
      { host: "127.0.0.1", port: 1 },
      { host: "::1", port: 2 },
    ];
    writeFileSync(path, 'listen:\n  - 127.0.0.1:1\n  - "[::1]:2"\n');
    expect((await load({ config: path })).configuration.listen).toEqual(both);
    expect((await load({}, { PROFUSION_LISTEN: "127.0.0.1:1, [::1]:2" })).configuration.listen).toEqual(both);
    expect((await load({ listen: ["127.0.0.1:1", "[::1]:2"] })).configuration.listen).toEqual(both);
    writeFileSync(path, "listen: 127.0.0.1:1\n");
    expect((await load({ config: path })).configuration.listen).toEqual(both.slice(0, 1));
  });

  test("takes an empty variable for one that is not set, and off, as before, for false", async () => {
    const { configuration } = await load({}, { PROFUSION_DATA: "", PROFUSION_LISTEN: "", PROFUSION_PACK: "off" });
    expect(configuration).toMatchObject({ data: "./data", pack: false });
  });

  test.each(["", "# nothing\n", "---\n", "limits:\n", "limits:\n  # all by default\n", "\ufeffdata: ./data\n"])(
    "takes %j for a file",
    async (content) => {
      writeFileSync(path, content);
      expect((await load({ config: path })).configuration.limits).toEqual(DEFAULT_LIMITS);
    },
  );

  test("throws every fault, a line each", async () => {
    const loading = load({ limit: ["labels=x"], listen: ["a"] }, { PROFUSION_PACK: "perhaps" });
    await expect(loading).rejects.toMatchObject({ kind: "invalid", message: expect.stringMatching(/^.*\n.*\n.*$/) });
  });
});

describe("a fault of the file has its line and column:", () => {
  test.each<[what: string, content: string, fault: string]>([
    [
      "a key that is none",
      "\n log_levle: info\n",
      '2:2: Cannot set "log_levle": no setting has this name; did you mean log_level?',
    ],
    [
      "one of a limit",
      "limits:\n  labls: 1\n",
      '2:3: Cannot set "limits.labls": no setting has this name; did you mean labels?',
    ],
    [
      "a limit outside its section",
      "body_bytes: 1\n",
      '1:1: Cannot set "body_bytes": no setting has this name; did you mean limits.body_bytes?',
    ],
    [
      "another spelling",
      "limits: {bodyBytes: 1}\n",
      '1:10: Cannot set "limits.bodyBytes": no setting has this name; did you mean limits.body_bytes?',
    ],
    ["a key that is far from all", "zzz: 1\n", '1:1: Cannot set "zzz": no setting has this name'],
    [
      "the name of a property of objects",
      "constructor: 1\n",
      '1:1: Cannot set "constructor": no setting has this name',
    ],
    ["a merge key", "limits:\n  <<: {labels: 1}\n", '2:3: Cannot set "limits.<<": no setting has this name'],
    ["a key that is a list", "[a, b]: 1\n", '1:1: Cannot set "": no setting has this name'],
    ["a word of another kind", "pack: perhaps\n", '1:7: Cannot set pack to "perhaps": it is true or false'],
    ["a number for an address", "listen: 10100\n", '1:9: Cannot listen on "10100": write HOST:PORT'],
    [
      "a level that there is not",
      "log_level: loud\n",
      '1:12: Cannot set log_level to "loud": it is one of trace, debug',
    ],
    [
      "a bad duration",
      "originals: week\n",
      '1:12: Cannot keep originals "week": say until-packed, keep, or a duration',
    ],
    [
      "a number beyond its range",
      "limits:\n  pack_share_percent: 101\n",
      '2:23: Cannot set limits.pack_share_percent to "101": it is a whole number of percent from 1 to 100',
    ],
    [
      "a number below it",
      "limits:\n  labels: 0\n",
      '2:11: Cannot set limits.labels to "0": it is a whole number from 1 to',
    ],
    [
      "a number beyond what numbers hold",
      "limits:\n  labels: 1e400\n",
      '2:11: Cannot set limits.labels to "1e400": it is a whole number',
    ],
    ["a list where a word belongs", "data: [a, b]\n", "1:7: Cannot set data to a list: one word belongs here"],
    ["a section where a word belongs", "data:\n  a: b\n", "2:3: Cannot set data to a section: one word belongs here"],
    [
      "a list in a list",
      "listen: [[a]]\n",
      "1:10: Cannot set listen to a list: a word, or a list of words, belongs here",
    ],
    ["an empty list", "listen: []\n", "1:9: Cannot set listen to an empty list"],
    ["one bad of several", "listen: [127.0.0.1:1, b]\n", '1:23: Cannot listen on "b"'],
    ["no value", "data:\nlog_level: info\n", "1:1: Cannot set data to nothing: one word belongs here"],
    ["an empty value", 'data: ""\n', "1:7: Cannot set data to nothing: write a folder"],
    ["a word where a section belongs", "limits: many\n", "1:9: Cannot read limits: it holds lines such as labels: 64"],
    ["a word alone", "hello\n", "1:1: Cannot read the file: it must consist of lines such as log_level: info"],
    ["a list alone", "- data: a\n", "1:1: Cannot read the file"],
    [
      "clients' certificates without TLS",
      "tls_client_ca: a.pem\n",
      "1:1: Cannot ask clients for certificates without TLS: set tls_cert and tls_key too",
    ],
    ["half of TLS", "\n\ntls_cert: a.pem\n", "3:1: Cannot answer TLS with tls_cert alone: set tls_key too, or neither"],
    ["a key twice", "data: a\nlog_level: info\ndata: b\n", '3:1: Cannot set "data" twice: leave one of the lines'],
    ["a tab", "limits:\n\tlabels: 1\n", "2:1: Cannot read the YAML: a tab where the line is indented: write spaces"],
    ["a bracket that is not closed", "listen: [a\n", "2:1: Cannot read the YAML: "],
    [
      "two documents",
      "data: a\n---\ndata: b\n",
      "2:1: Cannot read the YAML: a second document begins here, and one is read",
    ],
    ["a path with a NUL", 'data: "a\\0b"\n', '1:7: Cannot set data to "a\\u0000b": a path holds no NUL'],
    ["a home folder", "data: ~/x\n", '1:7: Cannot set data to "~/x": ~ means nothing here, write the home folder out'],
    [
      "a path that YAML takes for a number",
      "data: 3\n",
      "1:7: Cannot set data to 3: YAML takes it for a number, write it in quotes",
    ],
    ["every host", 'listen: "*:1"\n', '1:9: Cannot listen on "*:1": write HOST:PORT'],
    ["a port beyond all", "listen: a:70000\n", '1:9: Cannot listen on "a:70000": write HOST:PORT'],
    ["an address twice", "listen: [a:1, a:1]\n", '1:15: Cannot set listen to "a:1" twice: leave one of them out'],
    [
      "a limit above the one that bounds it",
      "limits: {page_size_default: 5000, page_size_max: 10}\n",
      "1:10: Cannot set limits.page_size_default to 5000: it is above limits.page_size_max, 10 (",
    ],
    [
      "the same where one of the two is the default",
      "limits:\n  disk_reserve_max_bytes: 1MiB\n",
      "2:3: Cannot set limits.disk_reserve_max_bytes to 1MiB: it is below limits.disk_reserve_min_bytes, 64MiB (default)",
    ],
    [
      "a tag that is not known",
      "data: !!js/function a\n",
      "1:7: Cannot read the YAML: a tag (!name) that is not known",
    ],
    ["an alias", "data: &a b\ntls_cert: *a\n", "2:11: Cannot set tls_cert to an alias: one word belongs here"],
    ["an alias without an anchor", "data: *a\n", "1:7: Cannot set data to an alias"],
  ])("%s", async (_what, content, fault) => {
    expect((await faultsOf(content))[0]).toSatisfy((line: string) => line.startsWith(fault));
  });

  test("all are told, in the order of their lines", async () => {
    const lines = Array.from({ length: 12 }, (_, at) => (at % 2 ? `unknown_${at}: 1` : `unheard_${at}: 1`));
    const places = (await faultsOf(`${lines.join("\n")}\nlog_level: loud\n`)).map((line) => line.split(":")[0]);
    expect(places).toEqual(Array.from({ length: 13 }, (_, at) => String(at + 1)));
  });
});

describe("a file that cannot be read is a fault:", () => {
  test.each<[what: string, make: () => void, reason: string]>([
    ["absent", () => {}, "no such file or directory (ENOENT)"],
    ["a folder", () => mkdirSync(path), "it is a folder (EISDIR)"],
    ["a link to itself", () => symlinkSync(path, path), "too many symbolic links encountered (ELOOP)"],
    ["not text", () => writeFileSync(path, Uint8Array.of(0xff, 0xfe, 0x00)), "it is not UTF-8"],
    [
      "too large",
      () => writeFileSync(path, `# ${"x".repeat(300_000)}\n`),
      "it has 300003 bytes, at most 262144 are allowed",
    ],
  ])("%s", async (_what, make, reason) => {
    make();
    await expect(load({ config: path })).rejects.toThrow(`${path}: Cannot read the configuration file: ${reason}`);
  });
});

describe("what a file can cost is bounded:", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 12; level++) {
    const [name, before] = [String.fromCharCode(97 + level), String.fromCharCode(96 + level)];
    bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(", ")}]`);
  }
  test.each<[what: string, content: string]>([
    ["aliases of aliases, 9^12 when they are written out", `${bomb.join("\n")}\nlisten: *l\n`],
    ["lists in lists, 100 000 deep", "listen: ".padEnd(100_000, "[")],
    ["maps in maps, 100 000 deep", "limits: ".padEnd(100_000, "{a: ")],
    ["25 000 keys", Array.from({ length: 25_000 }, (_, at) => `k${at}: 1`).join("\n")],
    ["many aliases in a list", `data: &a x\nlisten: [${"*a, ".repeat(60_000)}]\n`],
    ["a word of 250 000 characters", `data: ${"x".repeat(250_000)}\npack: perhaps`],
  ])("%s", async (_what, content) => {
    expect((await faultsOf(content)).length).toBeGreaterThan(0);
  });
});

describe("no message of the YAML library reaches users:", () => {
  test.each([
    ["a: b: c\n", "a second NAME: VALUE on one line"],
    ["data: @x\n", "needs quotes"],
    ["listen: [a\n", "[ or { before it is not closed"],
    ["data: 'abc\n", "a closing quote"],
    ['data: "a\\q"\n', "within double quotes"],
    ["limits:\n  labels: 1\n b: 2\n", "indented unlike those that it belongs to"],
    ["a\nb: 1\n", "is no NAME: VALUE"],
    ["a: [b]]\n", "does not belong here"],
  ])("%j", async (content, words) => {
    const [fault] = await faultsOf(content);
    expect(fault).toMatch(/^\d+:\d+: Cannot read the YAML: /);
    expect(fault).toContain(words);
    expect(fault).not.toMatch(/YAML\.|mapping|scalar|[Nn]ode|token|sequence/);
  });
});

test("whatever a file holds, it is taken or refused with places: 1000 damaged ones", async () => {
  const seed = Number(process.env.PROFUSION_FUZZ_SEED ?? 20261128);
  const random = new Random(seed);
  const sound = `# all sorts\nlisten: [127.0.0.1:1, "[::1]:2"]\ndata: &a |\n  b\nlog_level: 'warn'\nlimits:\n  labels: 7\n  body_bytes: 1MiB\n`;
  const pieces = [
    "\t",
    "\n",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!int ",
    "|",
    ">",
    "? ",
    "#",
    '"',
    "'",
    "%",
    "---\n",
    "\u0000",
    "<<: ",
  ];
  for (let round = 0; round < 1000; round++) {
    let text = sound;
    for (let damage = 0; damage <= random.between(0, 3); damage++) {
      const at = random.between(0, text.length);
      text = text.slice(0, at) + random.pick(pieces) + text.slice(at + random.between(0, 3));
    }
    writeFileSync(path, text);
    const { faults } = await checkConfiguration({ flags: { config: path }, environment: {} }).catch(
      (error: unknown) => {
        throw new Error(`seed ${seed}, round ${round}: ${JSON.stringify(text)}`, { cause: error });
      },
    );
    for (const { place } of faults)
      expect(place, `seed ${seed}, round ${round}`).toMatch(/profusion[.]yaml:[1-9]\d*:[1-9]\d*$/);
  }
});

describe("readEnvironment()", () => {
  test("warns of a variable that nothing reads, with the nearest that is read", async () => {
    const { warnings } = await load(
      {},
      {
        PROFUSION_LIMIT_BODY_BYTE: "1",
        PROFUSION_LOGLEVEL: "warn",
        // The prefix is no likeness, and a variable that a server does not read no advice.
        PROFUSION_FOO: "1",
        PROFUSION_KEY_FILE: "f",
        PROFUSION_SERVER: "http://a",
        PROFUSION_KEY: "k",
        PROFUSION_CONTEXT: "c",
        // As Kubernetes sets for a service that is named profusion.
        PROFUSION_SERVICE_HOST: "10.0.0.1",
        PROFUSION_SERVICE_PORT_HTTP: "80",
        PROFUSION_PORT: "tcp://10.0.0.1:80",
        PROFUSION_PORT_80_TCP_ADDR: "10.0.0.1",
        profusion_data: "x",
        OTHER: "x",
      },
    );
    expect(warnings).toEqual([
      "The variable PROFUSION_LIMIT_BODY_BYTE is not used: no setting has this name; did you mean PROFUSION_LIMIT_BODY_BYTES?",
      "The variable PROFUSION_LOGLEVEL is not used: no setting has this name; did you mean PROFUSION_LOG_LEVEL?",
      "The variable PROFUSION_FOO is not used: no setting has this name",
    ]);
  });
});

test("any free port may be asked for several times", async () => {
  expect((await load({ listen: ["127.0.0.1:0", "127.0.0.1:0"] })).configuration.listen).toHaveLength(2);
});

test("of a list with nothing in it there is one fault, however many commas it has", async () => {
  const { faults } = await checkConfiguration({ flags: {}, environment: { PROFUSION_LISTEN: ",," } });
  expect(faultLines(faults)).toEqual([
    "PROFUSION_LISTEN: Cannot set listen to nothing: write HOST:PORT; port 0 is any free one",
  ]);
});

describe("readFlags()", () => {
  test.each([
    ["x=1", 'Cannot set limit "x": no limit has this name'],
    ["=1", 'Cannot set limit "": no limit has this name'],
    ["toString=1", "no limit has this name"],
    ["bodybytes=1", "did you mean body_bytes?"],
    ["labels", "Cannot set limits.labels: write labels=VALUE"],
    ["labels=", "Cannot set limits.labels to nothing"],
    ["labels=1=2", 'Cannot set limits.labels to "1=2"'],
  ])("refuses --limit %s", async (text, message) => {
    await expect(load({ limit: [text] })).rejects.toThrow(message);
  });

  test("the last of several limits of one name wins", async () => {
    expect((await load({ limit: ["labels=1", "labels=2"] })).configuration.limits.labels).toBe(2);
  });
});

test("every setting has a key, a variable and a flag of its own", () => {
  for (const name of ["key", "variable", "flag"] as const) {
    expect(new Set(SETTINGS.map((setting) => setting[name])).size, name).toBe(SETTINGS.length);
  }
});
