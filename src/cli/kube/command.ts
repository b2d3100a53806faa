// `profusion kube`: its verbs and their options, those of kube-profefe's kubectl plugin. What they do is in files of their own, loaded when
// they are asked for.

import type { Command } from "commander";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import { addClientOptions, type ClientOptions } from "../client-options.ts";
import { addExample } from "../example.ts";
import { parseLabel, parseSelectedLabel } from "../label-option.ts";
import { addLimitOptions } from "../limit-option.ts";
import { listServices, listTypes, type NamesOptions, tell } from "../names.ts";
import { addOutputOptions, type OutputOptions } from "../output.ts";
import { type PushOptions, parseSeconds } from "../push.ts";
import { repeated } from "../repeated.ts";
import { CAPTURED_TYPES, type CapturedType } from "./endpoints.ts";

export function addKube(program: Command): void {
  const kube = program.command("kube").description("profiles of pods: capture them, get them, load files");
  addCapture(kube);
  const get = kube.command("get").description("what the server has of pods and services");
  addGetProfiles(get);
  addGetNames(get);
  addLoad(kube);
}

function addCapture(kube: Command): void {
  const command = kube
    .command("capture")
    .description(
      'profile pods that have the annotation profefe.com/enable: "true", through `kubectl port-forward`; prints ids, or files. A pod that fails harms no other',
    )
    .argument("[pod...]", "default: all that are selected")
    .option("--output-dir <folder>", "write files there instead of sending profiles to the server")
    .option(
      "--type <type>",
      `${CAPTURED_TYPES.join(", ")}; may be repeated; default: all`,
      repeated(parseType),
      CAPTURED_TYPES,
    )
    .option("--seconds <number>", "how long a CPU profile is taken", parseSeconds, 30)
    .option("--label <name=value>", "a further label of the profiles; may be repeated", repeated(parseLabel))
    .option("-n, --namespace <name>", "where the pods are; default: that of the context")
    .option("-A, --all-namespaces", "in all of them; files then go to a folder for each")
    .option("-l, --selector <labels>", "pods with these labels, as kubectl takes them")
    .option("--kubeconfig <file>", "as kubectl takes it")
    .option("--kube-context <name>", "kubectl's --context; --context is the server's");
  addClientOptions(command);
  addOutputOptions(command, "no notes");
  addExample(
    command,
    "profusion kube capture -n shop -l app=web",
    "profusion kube capture -n shop web-7d4b9-x2x1p --type cpu --seconds 10 --output-dir .",
  ).action(async (pods, options) => {
    if (pods.length > 0 && (options.selector ?? options.allNamespaces) !== undefined) {
      throw new DomainError("invalid", "Cannot take names of pods together with --selector or --all-namespaces");
    }
    await (await import("./capture.ts")).capture(pods, options);
  });
}

function addGetProfiles(get: Command): void {
  const command = get
    .command("profiles")
    .description("list profiles of pods and services, newest first, or with a folder fetch them")
    .option("--service <name>", "what was profiled")
    .option("--type <type>", "cpu, heap, allocs, …; default: any")
    .option("--pod <name>", "the pod it was taken of")
    .option("-n, --namespace <name>", "the namespace it was taken in")
    .option("--label <name=value>", "a label that the profiles have; may be repeated", repeated(parseSelectedLabel), [])
    .option("--from <time>", "a duration is so long ago, with a minus or without", withoutSign, "24h")
    .option("--to <time>", "likewise", withoutSign, "now")
    .option("--output-dir <folder>", "fetch them into files there");
  addLimitOptions(command, 100, "profiles");
  addClientOptions(command);
  addOutputOptions(command, "only ids, or files, one a line");
  addExample(
    command,
    "profusion kube get profiles --service web --type cpu --from 3h",
    "profusion kube get profiles -n shop --from 2h --to 1h --output-dir profiles",
  ).action(async (options) => (await import("./get.ts")).getProfiles(options));
}

function addGetNames(get: Command): void {
  const services = get.command("services").description("list the services that have profiles");
  addOutputOptions(addClientOptions(services), "only the names, one a line");
  addExample(services, "profusion kube get services").action((options: NamesOptions) =>
    tell("services", listServices, options),
  );
  const types = get.command("profile-types").description("list the types of profiles there are");
  addOutputOptions(addClientOptions(types), "only the names, one a line");
  addExample(types, "profusion kube get profile-types").action((options: NamesOptions) =>
    tell("profileTypes", listTypes, options),
  );
}

function addLoad(kube: Command): void {
  const command = kube
    .command("load")
    .description("send files, as `profusion push` does; prints their ids")
    .argument("<file...>", "such as capture writes")
    .requiredOption("--service <name>", "what was profiled")
    .option("--type <type>", "default: what the columns tell, and block or mutex in the file's name")
    .option("--label <name=value>", "a label of the profiles; may be repeated", repeated(parseLabel));
  addClientOptions(command);
  addOutputOptions(command, "no progress, notes or warnings");
  addExample(command, "profusion kube load --service web profile-heap-web-1-1795183200.pb.gz").action(
    async (files: string[], options: Omit<PushOptions, "resume"> & ClientOptions & OutputOptions) => {
      const { push } = await import("../push/push.ts");
      await push(files, { ...options, resume: true });
    },
  );
}

function parseType(text: string): CapturedType {
  const type = CAPTURED_TYPES.find((each) => each === text);
  if (type !== undefined) return type;
  throw new DomainError("invalid", `Cannot capture type ${quote(text)}: pods serve ${CAPTURED_TYPES.join(", ")}`);
}

/** kube-profefe added durations to now, so that there they had to be negative. */
function withoutSign(text: string): string {
  return text.replace(/^-(?=\d)/, "");
}
