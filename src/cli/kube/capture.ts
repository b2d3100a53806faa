// `profusion kube capture`: takes profiles of pods, through the API server's port forward, to the server or to files. Its options are
// command.ts.

import { join } from "node:path";
import { DomainError } from "../../model/errors.ts";
import type { Label } from "../../model/labels.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import type { ClientOptions } from "../client-options.ts";
import { connect } from "../connection.ts";
import { EXIT, exitCodeOf } from "../exit-code.ts";
import { readSummary } from "../guess-type.ts";
import { untilSignal } from "../interruption.ts";
import { answerExactly, answerJson, complain, note, type OutputOptions } from "../output.ts";
import { fetchLiveProfile } from "../push/live-profile.ts";
import { Patience } from "../push/patience.ts";
import { Sender } from "../push/send.ts";
import { writeWhole } from "../write-whole.ts";
import { type CapturedType, ENDPOINTS } from "./endpoints.ts";
import { type Forward, forwardPort } from "./kubectl.ts";
import { makeOutputFolder } from "./output-folder.ts";
import { findPods, type PodOptions, type ProfiledPod } from "./pods.ts";

export interface CaptureOptions extends PodOptions, ClientOptions, OutputOptions {
  outputDir?: string;
  type: readonly CapturedType[];
  seconds: number;
  label?: Label[];
}

/** As kube-profefe's scraper. */
const PODS_AT_ONCE = 10;
const WAIT_MS = 15_000;

interface Result {
  pod: string;
  /** Undefined where it is of the pod as a whole. */
  type?: CapturedType;
  /** The profile's id, or the file. */
  stored?: string;
  failure?: DomainError;
}

/** Answers the id or the file. */
type Keep = (pod: ProfiledPod, type: CapturedType, bytes: Uint8Array) => Promise<string>;

export async function capture(names: readonly string[], options: CaptureOptions): Promise<void> {
  const interruption = untilSignal();
  const { signal } = interruption;
  const keep = options.outputDir === undefined ? await toServer(options, signal) : toFiles(options, options.outputDir);
  const { pods, faults } = await findPods(names, options, signal);
  if (pods.length + faults.length === 0) {
    throw new DomainError("not-found", `No pod is running there with the annotation profefe.com/enable: "true"`);
  }
  const results: Result[] = [];
  const settle = (result: Result) => {
    results.push(result);
    tell(result, options);
  };
  for (const fault of faults) settle(fault);
  const waiting = pods.values();
  const work = async () => {
    for (const pod of waiting) if (!signal.aborted) await capturePod(pod, options, keep, signal, settle);
  };
  await Promise.all(Array.from({ length: PODS_AT_ONCE }, work));
  end(results, options);
  interruption.pass();
}

/** All types at once, as kube-profefe does: the shorter ones within the time of the longest. */
async function capturePod(
  pod: ProfiledPod,
  options: CaptureOptions,
  keep: Keep,
  signal: AbortSignal,
  settle: (result: Result) => void,
): Promise<void> {
  const name = `${pod.namespace}/${pod.name}`;
  try {
    await using forward = await forwardPort(pod, pod.port, options, signal);
    const captureType = async (type: CapturedType) => {
      const url = new URL(`http://127.0.0.1:${forward.port}${pod.path}/${ENDPOINTS[type]}`);
      try {
        const bytes = await fetchLiveProfile(url, options.seconds, DEFAULT_LIMITS.bodyBytes, signal);
        const isEmpty = readSummary(bytes, DEFAULT_LIMITS).sampleCount === 0;
        settle({ pod: name, type, ...(!isEmpty && { stored: await keep(pod, type, bytes) }) });
      } catch (failure) {
        if (!(failure instanceof DomainError)) throw failure;
        settle({ pod: name, type, failure: await withReason(failure, forward) });
      }
    };
    await Promise.all(options.type.map(captureType));
  } catch (failure) {
    if (!(failure instanceof DomainError)) throw failure;
    settle({ pod: name, failure });
  }
}

/** Of a broken forward kubectl alone knows why. */
async function withReason(failure: DomainError, forward: Forward): Promise<DomainError> {
  const reason = failure.kind === "unavailable" ? await forward.fault() : undefined;
  if (reason === undefined) return failure;
  return new DomainError("unavailable", `Cannot fetch it: ${reason}`, { cause: failure });
}

async function toServer(options: CaptureOptions, signal: AbortSignal): Promise<Keep> {
  const { server, profiles: client } = await connect(options);
  const sender = new Sender({ client, server, patience: new Patience(WAIT_MS), signal });
  return async (pod, type, bytes) => {
    const { namespace, name, service } = pod;
    const labels = [
      { name: "namespace", value: namespace },
      { name: "from", value: "kube-profefe" },
      { name: "pod", value: name },
      ...(options.label ?? []),
    ];
    const named = { service, type, labels };
    const [outcome] = await sender.send([
      { named, bytes, warnings: [], ownTimeNs: 0n, saidTime: undefined, requestId: undefined },
    ]);
    if (outcome!.state === "stored") return outcome!.id;
    if (outcome!.state === "refused") throw outcome!.failure;
    throw sender.stop ?? (signal.reason as DomainError);
  };
}

/** Of several namespaces a folder each: their pods may have one name. */
function toFiles({ allNamespaces }: CaptureOptions, folder: string): Keep {
  return async ({ namespace, name }, type, bytes) => {
    const seconds = Math.floor(Date.now() / 1000);
    const inside = allNamespaces ? join(folder, plainName(namespace)) : folder;
    makeOutputFolder(inside);
    const file = join(inside, `profile-${type}-${plainName(name)}-${seconds}.pb.gz`);
    await writeWhole(bytes, file);
    return file;
  };
}

/** Kubernetes allows neither slashes nor dots alone; whatever a server says, what is written stays in the folder. */
function plainName(name: string): string {
  return name.replaceAll("/", "__").replace(/^\.+$/, "_");
}

function tell({ pod, type, stored, failure }: Result, options: OutputOptions): void {
  const what = type === undefined ? pod : `${pod} ${type}`;
  if (failure) complain(`${what}: ${failure.message}`);
  else if (stored === undefined) note(`${what}: it has no samples`, options);
  else if (!options.json) answerExactly([stored]);
}

function end(results: readonly Result[], options: OutputOptions): void {
  if (options.json) {
    const captured = results.map(({ pod, type, stored, failure }) => ({
      pod,
      profileType: type ?? null,
      stored: stored ?? null,
      error: failure ? { kind: failure.kind, message: failure.message } : null,
    }));
    answerJson({ captured });
  }
  const failed = results.filter(({ failure }) => failure !== undefined);
  if (failed.length === 0) return;
  process.exitCode = failed.length < results.length ? EXIT.partial : exitCodeOf(failed[0]!.failure);
}
