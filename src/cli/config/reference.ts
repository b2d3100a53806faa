// docs/configuration.md, from the settings: `npm run docs:configuration` writes it, and a test fails where it is stale.

import type { Setting } from "./setting.ts";
import { LIMIT_SETTINGS, LIMITS_SECTION, PLAIN_SETTINGS } from "./settings.ts";

const HEAD = `# Configuration

What a server runs with. This page is made from [the settings](../src/cli/config/settings.ts) by \`npm run docs:configuration\`.

A value is taken from the first of these that has one: a flag of \`profusion serve\`, a variable of the environment, the file, the
default. The file is YAML and is named by \`--config FILE\` or \`PROFUSION_CONFIG\`:

\`\`\`yaml
listen: [127.0.0.1:10100, "[::1]:10100"]
data: /var/lib/profusion
log_level: warn
limits:
  body_bytes: 128MiB
  merge_ms: 2m
\`\`\`

The same as flags: \`--listen 127.0.0.1:10100 --listen '[::1]:10100' --data /var/lib/profusion --log-level warn --limit body_bytes=128MiB
--limit merge_ms=2m\`; and in the environment, with commas in lists: \`PROFUSION_LISTEN='127.0.0.1:10100,[::1]:10100'\`,
\`PROFUSION_DATA=/var/lib/profusion\`, \`PROFUSION_LOG_LEVEL=warn\`, \`PROFUSION_LIMIT_BODY_BYTES=128MiB\`, \`PROFUSION_LIMIT_MERGE_MS=2m\`.

- Paths in a file are relative to its folder; those of flags and variables to the folder where the server was started.
- Sizes are bytes, or \`64KiB\`, \`64MiB\`, \`1GiB\`, \`1TiB\`; durations are milliseconds, or \`500ms\`, \`10s\`, \`5m\`, \`1h30m\`, \`7d\`:
  whole numbers, the largest unit first.
- A name that no setting has, a name twice, a value out of range: each is refused with its line and column, and the server does not
  start. A variable PROFUSION_… that nothing reads is warned of in the log. An empty variable is one that is not set.
- No setting is a secret; the key of TLS is a file.

\`profusion config check [FILE]\` tells everything that is wrong in the file and the environment, and exits with 2 where something is.
\`profusion config print\` shows what a server that is started here would run with, as YAML, each value with where it comes from; it takes the
flags of \`serve\`. \`profusion config schema > profusion.schema.json\` makes a JSON Schema (draft 2020-12), with which editors check and complete
the file; many take it from a first line \`# yaml-language-server: $schema=profusion.schema.json\`. It judges as
\`config check\` does, but for limits that bound each other, an address given twice, and the files that settings name.

## While it runs

\`SIGHUP\` makes a server read the file again, and the certificate and key of TLS even where their paths are the same. What is marked
"at once" takes effect for what comes from then on, other changes at the next start, as does switching TLS, or its asking of clients for
certificates, on or off; the log says which
are which. Where anything is wrong, the log says what, and nothing changes. Flags and variables stay what they were when the server was
started. A server that was started in a terminal stops when the terminal is closed.
`;

export function configurationReference(): string {
  const limits = `## Limits

What users may send, ask and keep, and how long they may take. In the file they stand below \`${LIMITS_SECTION}:\`; as a flag
\`body_bytes\` is \`--limit body_bytes=VALUE\`, as a variable \`PROFUSION_LIMIT_BODY_BYTES\`.
`;
  return [HEAD, "## Settings\n", table(PLAIN_SETTINGS, plainName), limits, table(LIMIT_SETTINGS, limitName)].join("\n");
}

function plainName({ key, flag, variable, foreignVariable, kind, default: value }: Setting): string {
  const isOn = kind.placeholder === "" && value === "true";
  return [key, isOn ? `--no-${flag.slice(2)}` : flag, variable, foreignVariable]
    .flatMap((name) => (name ? [`\`${name}\``] : []))
    .join("<br>");
}

function limitName({ key }: Setting): string {
  return `\`${key.slice(LIMITS_SECTION.length + 1)}\``;
}

function table(settings: readonly Setting[], nameOf: (setting: Setting) => string): string {
  const rows = settings.map((setting) => {
    const { kind, description, default: value, isList, isReloadable } = setting;
    const allowed = isList ? `${kind.allowed}; one or a list` : kind.allowed;
    const cells = [
      nameOf(setting),
      value === undefined ? "" : `\`${value}\``,
      allowed,
      isReloadable ? "at once" : "",
      description,
    ];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  });
  return `| name | default | allowed | changed | what and why |\n|---|---|---|---|---|\n${rows.join("")}`;
}
