// `profusion config check|print|schema|reference`: what a server would run with, asked before one is started.

import type { Command } from "commander";
import { addExample } from "../example.ts";
import { addOutputOptions, answer, answerExactly, answerJson, note, type OutputOptions } from "../output.ts";
import { addSettingFlags, type GivenFlags } from "./flags.ts";

/** Of a configuration with faults. */
const FAULTY_EXIT_CODE = 2;

export function addConfig(program: Command): void {
  const config = program.command("config").description("the server's settings: check, print, describe");
  const checking = addSettingFlags(
    addOutputOptions(config.command("check"), "no warnings, and no word where nothing is wrong")
      .argument("[file]", "a configuration file, in place of --config and PROFUSION_CONFIG")
      .description(
        "tell everything that is wrong in the file, the environment and the flags; exits with 2 where something is",
      ),
  ).action(check);
  addExample(checking, "profusion config check /etc/profusion.yaml");
  const printing = addSettingFlags(
    addOutputOptions(config.command("print"), "no warnings").description(
      "what a server started here would run with, as YAML, each value with its origin",
    ),
  ).action(print);
  addExample(printing, "profusion config print --config /etc/profusion.yaml");
  const schema = config
    .command("schema")
    .description("a JSON Schema of the file, for editors")
    .action(async () => {
      const { configurationSchema } = await import("./json-schema.ts");
      console.log(JSON.stringify(configurationSchema(), undefined, 2));
    });
  addExample(schema, "profusion config schema");
  const reference = config
    .command("reference")
    .description("every setting with its default and its reason, as Markdown")
    .action(async () => {
      const { configurationReference } = await import("./reference.ts");
      process.stdout.write(configurationReference());
    });
  addExample(reference, "profusion config reference");
}

async function check(path: string | undefined, flags: GivenFlags & OutputOptions): Promise<void> {
  const { checkConfiguration, faultLines } = await import("./load.ts");
  const given = path === undefined ? flags : { ...flags, config: path };
  const { faults, warnings } = await checkConfiguration({ flags: given, environment: process.env });
  if (faults.length > 0) process.exitCode = FAULTY_EXIT_CODE;
  if (flags.json) return answerJson({ faults, warnings });
  for (const warning of warnings) note(warning, flags);
  for (const line of faultLines(faults)) note(line, {});
  if (faults.length === 0 && !flags.quiet) answer("ok");
}

async function print(flags: GivenFlags & OutputOptions): Promise<void> {
  const [{ loadConfiguration }, { configurationText, settingsAsJson }] = await Promise.all([
    import("./load.ts"),
    import("./print.ts"),
  ]);
  const { resolved, warnings } = await loadConfiguration({ flags, environment: process.env });
  if (flags.json) return answerJson({ settings: settingsAsJson(resolved), warnings });
  for (const warning of warnings) note(warning, flags);
  answerExactly([configurationText(resolved).trimEnd()]);
}
