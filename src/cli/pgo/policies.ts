// `profusion pgo policy`: its verbs and their options. What they do is policy.ts's.

import type { Command } from "commander";
import { addClientOptions } from "../client-options.ts";
import { addExample } from "../example.ts";
import { addOutputOptions } from "../output.ts";
import { addServiceOption } from "./question.ts";

export function addPolicies(pgo: Command): void {
  const policies = pgo.command("policy").description("policies: by which rules a service's PGO profiles are made");
  const verb = (usage: string, description: string, quiet?: string) => {
    const command = policies.command(usage).description(description);
    return addOutputOptions(addClientOptions(addServiceOption(command)), quiet);
  };
  const get = verb("get", "print a policy as YAML, every rule of it, as `set` takes it")
    .argument("[policy]", "its name", "default")
    .action(async (name, options) => (await import("./policy.ts")).getPolicy(name, options));
  addExample(get, "profusion pgo policy get --service auth > policy.yaml");
  const set = verb("set", "set a policy from a YAML or JSON file; what the file does not say is the default")
    .argument("<file>", "- for stdin")
    .option("--name <name>", "which policy", "default")
    .action(async (file, options) => (await import("./policy.ts")).setPolicy(file, options));
  addExample(set, "profusion pgo policy set --service auth policy.yaml");
  const list = verb("list", "list a service's policies", "only names, one a line").action(async (options) =>
    (await import("./policy.ts")).listPolicies(options),
  );
  addExample(list, "profusion pgo policy list --service auth");
  const remove = verb("delete", "delete a policy that was set; what the server's configuration says stays")
    .argument("<policy>", "its name")
    .action(async (name, options) => (await import("./policy.ts")).deletePolicy(name, options));
  addExample(remove, "profusion pgo policy delete --service auth canary");
}
