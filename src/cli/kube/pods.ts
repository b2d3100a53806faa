// Which pods are profiled, and as what: kube-profefe's annotations.

import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import { type ClusterOptions, kubectl } from "./kubectl.ts";

export interface PodOptions extends ClusterOptions {
  namespace?: string;
  allNamespaces?: true;
  selector?: string;
}

/** What Kubernetes says of a pod, as far as it is needed. */
interface PodObject {
  metadata: { namespace: string; name: string; annotations?: Record<string, string> };
  status: { phase?: string };
}

export interface ProfiledPod {
  namespace: string;
  name: string;
  /** By its annotation, else its name. */
  service: string;
  port: number;
  /** Below which the types of profiles are. */
  path: string;
}

export interface FoundPods {
  pods: ProfiledPod[];
  /** By pod, why it is not among them though it was named, or cannot be though it asks for it. */
  faults: { pod: string; failure: DomainError }[];
}

const DEFAULT_PORT = 6060;
const DEFAULT_PATH = "/debug/pprof";

/** Those of `names`, else all that the options select; of either those that run and are enabled. Throws `unavailable`. */
export async function findPods(names: readonly string[], options: PodOptions, signal: AbortSignal): Promise<FoundPods> {
  const { namespace, allNamespaces, selector } = options;
  const where = [
    ...(namespace === undefined ? [] : ["--namespace", namespace]),
    ...(allNamespaces ? ["--all-namespaces"] : []),
    ...(selector === undefined ? [] : ["--selector", selector]),
  ];
  const args = ["get", "pods", ...names, ...where, "--ignore-not-found", "--output", "json"];
  const text = await kubectl(args, options, signal);
  const all = text.trim() === "" ? [] : objectsOf(parseAnswer(text));
  const found: FoundPods = { pods: [], faults: [] };
  const absent = names.filter((name) => !all.some(({ metadata }) => metadata.name === name));
  for (const pod of absent) found.faults.push({ pod, failure: new DomainError("not-found", "There is no such pod") });
  for (const object of all) {
    const { metadata, status } = object;
    const isEnabled = metadata.annotations?.["profefe.com/enable"] === "true";
    const pod = `${metadata.namespace}/${metadata.name}`;
    try {
      if (status.phase === "Running" && isEnabled) found.pods.push(profiledPod(object));
      else if (names.length > 0) found.faults.push({ pod, failure: notProfiled(status.phase, isEnabled) });
    } catch (failure) {
      if (!(failure instanceof DomainError)) throw failure;
      found.faults.push({ pod, failure });
    }
  }
  return found;
}

function parseAnswer(text: string): PodObject | { items: PodObject[] } {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DomainError("unavailable", `kubectl failed: it answers no JSON but ${quote(text.slice(0, 60))}`, {
      cause,
    });
  }
}

/** One name is answered as a pod, all else as a list. */
function objectsOf(answer: PodObject | { items: PodObject[] }): PodObject[] {
  return "items" in answer ? answer.items : [answer];
}

function notProfiled(phase: string | undefined, isEnabled: boolean): DomainError {
  const reason = isEnabled ? `it is ${phase ?? "not running"}` : `it lacks the annotation profefe.com/enable: "true"`;
  return new DomainError("conflict", `Cannot profile it: ${reason}`);
}

function profiledPod({ metadata: { namespace, name, annotations } }: PodObject): ProfiledPod {
  const said = (key: string) => annotations?.[`profefe.com/${key}`] || undefined;
  const port = said("port") ?? `${DEFAULT_PORT}`;
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    const message = `Cannot profile it: its annotation profefe.com/port is ${quote(port)}; write a port from 1 to 65535`;
    throw new DomainError("invalid", message);
  }
  const path = `/${said("path") ?? DEFAULT_PATH}`.replace(/^\/+/, "/").replace(/\/+$/, "");
  return { namespace, name, service: said("service") ?? name, port: Number(port), path };
}
