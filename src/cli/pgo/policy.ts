// `profusion pgo policy get|set|list|delete`: the rules by which PGO profiles of a service are made.

import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { PgoPolicy } from "../../../gen/profusion/v1/pgo_service_pb.ts";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import type { ClientOptions } from "../client-options.ts";
import { connect } from "../connection.ts";
import { answerExactly, answerJson, note, type OutputOptions } from "../output.ts";
import { systemFault } from "../system-fault.ts";
import { createTable } from "../table.ts";
import { harmless } from "../terminal.ts";
import { policyYaml, readPolicyText, spanText } from "./policy-yaml.ts";

interface PolicyOptions extends ClientOptions, OutputOptions {
  service: string;
}

export async function getPolicy(name: string, options: PolicyOptions): Promise<void> {
  const connection = await connect(options);
  const answered = await connection.pgo.getPgoPolicy({ service: options.service, name });
  if (options.json) return answerJson(connection.json(answered));
  if (answered.policy) process.stdout.write(policyYaml(answered.policy));
}

export async function setPolicy(file: string, options: PolicyOptions & { name: string }): Promise<void> {
  const { service, name } = options;
  const policy = readPolicyText(await textOf(file), name, file);
  const connection = await connect(options);
  const answered = await connection.pgo.updatePgoPolicy({ service, policy });
  if (options.json) return answerJson(connection.json(answered));
  note(`policy ${quote(name)} of ${quote(service)} is set`, options);
}

export async function listPolicies(options: PolicyOptions): Promise<void> {
  const connection = await connect(options);
  const answered = await connection.pgo.listPgoPolicies({ service: options.service });
  if (options.json) return answerJson(connection.json(answered));
  if (options.quiet) return answerExactly(answered.policies.map(({ name }) => name));
  const table = createTable<PgoPolicy>([
    { heading: "POLICY", cell: ({ name }) => name },
    { heading: "SELECTOR", cell: ({ selector }) => selector },
    { heading: "WINDOW", cell: ({ window }) => (window ? spanText(`${window.seconds}s`) : "all of time") },
    { heading: "SAMPLES", align: "right", cell: ({ minSamples }) => `>= ${minSamples}` },
    {
      heading: "LOCATIONS",
      align: "right",
      cell: ({ keepLocations }) => (keepLocations < 0 ? "all" : String(keepLocations)),
    },
  ]);
  table.print(answered.policies);
}

export async function deletePolicy(name: string, options: PolicyOptions): Promise<void> {
  const { service } = options;
  const connection = await connect(options);
  const answered = await connection.pgo.deletePgoPolicy({ service, name });
  if (options.json) return answerJson(connection.json(answered));
  note(`policy ${quote(name)} of ${quote(service)} is deleted`, options);
}

async function textOf(file: string): Promise<string> {
  try {
    return file === "-" ? (await buffer(process.stdin)).toString("utf8") : await readFile(file, "utf8");
  } catch (cause) {
    throw new DomainError("invalid", `Cannot read ${harmless(file)}: ${systemFault(cause)}`, { cause });
  }
}
