// The import itself: the objects of a store as they are listed → profiles → requests, several at a time. What is told of it is report.ts.

import { basename } from "node:path";
import { DomainError, type ErrorKind } from "../../model/errors.ts";
import { checkService, type Label } from "../../model/labels.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { NS_PER_MS } from "../../model/time.ts";
import { guessType } from "../guess-type.ts";
import { Patience } from "../push/patience.ts";
import { type FileStamp, inspect, type PreparedProfile, prepared, type SaidTime } from "../push/prepare.ts";
import { REQUEST_BYTES, REQUEST_PROFILES, type SendingPlan } from "../push/run.ts";
import { Sender } from "../push/send.ts";
import { type Layout, type NamedObject, nameObject } from "./layouts.ts";
import type { ImportReport } from "./report.ts";
import type { Store, StoredBytes, StoredObject } from "./store.ts";
import { type Sums, sumOf } from "./survey.ts";

/** No other object would fare better. */
const OF_THE_STORE: ReadonlySet<ErrorKind> = new Set(["unavailable", "unauthenticated"]);

/** What the options say of every profile. */
export interface ImportNaming {
  layout: Layout | undefined;
  service: string | undefined;
  type: string | undefined;
  labels: readonly Label[];
}

export interface ImportPlan extends SendingPlan {
  store: Store;
  naming: ImportNaming;
  sums: Sums;
  report: ImportReport;
  /** After each object. */
  settled: () => void;
}

interface Entry {
  object: StoredObject;
  layout: Layout;
  stamp: FileStamp;
  profile: PreparedProfile;
}

/** Resolves with what stopped the import before its end, where something did. */
export async function runImport(plan: ImportPlan): Promise<DomainError | undefined> {
  const run = new ImportRun(plan);
  await Promise.all(Array.from({ length: plan.parallel }, () => run.work()));
  return run.stop;
}

class ImportRun {
  readonly #plan: ImportPlan;
  readonly #sender: Sender;
  readonly #objects: AsyncIterator<StoredObject>;
  #isAtEnd = false;
  #fault: DomainError | undefined;

  constructor(plan: ImportPlan) {
    const { store, client, server, signal, waitMs } = plan;
    this.#plan = plan;
    this.#objects = store.list(signal)[Symbol.asyncIterator]();
    this.#sender = new Sender({ client, server, patience: new Patience(waitMs), signal });
  }

  get stop(): DomainError | undefined {
    const { signal } = this.#plan;
    return signal.aborted ? (signal.reason as DomainError) : (this.#fault ?? this.#sender.stop);
  }

  async work(): Promise<void> {
    while (!this.#isAtEnd && this.stop === undefined) {
      const batch: Entry[] = [];
      let bytes = 0;
      while (batch.length < REQUEST_PROFILES && bytes < REQUEST_BYTES && this.stop === undefined) {
        const object = await this.#next();
        if (object === undefined) break;
        const entry = await this.#begin(object);
        if (entry === undefined) continue;
        batch.push(entry);
        bytes += entry.profile.bytes.length;
      }
      if (batch.length > 0) await this.#finish(batch);
    }
  }

  async #next(): Promise<StoredObject | undefined> {
    try {
      const { value, done } = await this.#objects.next();
      if (!done) return value;
    } catch (error) {
      this.#end(error);
    }
    this.#isAtEnd = true;
    return undefined;
  }

  /** Undefined where nothing of it is to be sent. */
  async #begin(object: StoredObject): Promise<Entry | undefined> {
    const { store, naming, sums, journal, report, dryRun, settled } = this.#plan;
    const { name } = object;
    const named = nameObject(name, store.prefix, naming.layout);
    if (named === undefined) {
      report.leaveStrange(name);
      return undefined;
    }
    const sum = sumOf(object, named, sums);
    if (sum !== undefined) {
      report.inSums.push({ name, sum });
      return undefined;
    }
    const stamp = stampOf(object);
    try {
      if (journal.idOf(stamp) !== undefined) report.resume();
      else if (dryRun) report.planned(named.layout, profileName(named, naming), named.timeNs);
      else return await this.#prepare(object, named, stamp);
    } catch (error) {
      const isOfThisAlone = error instanceof DomainError && !OF_THE_STORE.has(error.kind);
      if (isOfThisAlone && !this.#plan.signal.aborted) report.refuse(name, error);
      else this.#end(error);
    }
    settled();
    return undefined;
  }

  async #prepare(object: StoredObject, named: NamedObject, stamp: FileStamp): Promise<Entry | undefined> {
    const { store, naming, signal, report } = this.#plan;
    profileName(named, naming); // throws before it is fetched
    const stored = await store.read(object, DEFAULT_LIMITS.bodyBytes, signal);
    const { bytes } = stored;
    const { type: saidType, ...rest } = profileName(withItsService(named, stored), naming);
    const inspected = inspect(bytes, saidType, (summary) => guessType(summary, basename(object.name)));
    if (inspected.summary?.sampleCount === 0) {
      report.leaveEmpty(object.name);
      return undefined;
    }
    const said = saidTime(named, inspected.summary?.timeNs ?? 0n);
    const profile = prepared({ ...rest, type: inspected.type }, bytes, inspected, said, stamp);
    return { object, layout: named.layout, stamp, profile };
  }

  async #finish(batch: readonly Entry[]): Promise<void> {
    const { journal, report, settled } = this.#plan;
    const outcomes = await this.#sender.send(batch.map(({ profile }) => profile));
    journal.add(
      outcomes.flatMap((outcome, nth) =>
        outcome.state === "stored" ? [[batch[nth]!.stamp, outcome.id] as const] : [],
      ),
    );
    for (const [nth, outcome] of outcomes.entries()) {
      const { object, layout } = batch[nth]!;
      if (outcome.state === "stored") report.stored(object.name, layout, outcome);
      else if (outcome.state === "refused") report.refuse(object.name, outcome.failure);
      settled();
    }
  }

  /** Bugs are no outcome. */
  #end(error: unknown): void {
    if (this.#plan.signal.aborted) return;
    if (!(error instanceof DomainError)) throw error;
    this.#fault ??= error;
  }
}

/** What the name tells goes before the profile's own, unless that is the same one, less cut. */
function saidTime({ timeNs, resolutionNs }: NamedObject, ownNs: bigint): SaidTime | undefined {
  return timeNs === undefined ? undefined : { timeNs, first: timeNs !== ownNs - (ownNs % resolutionNs) };
}

/** What options say goes before what names say; labels of both are the profile's. Throws `invalid`. */
function profileName(named: NamedObject, { service: saidService, type, labels }: ImportNaming) {
  const service = saidService ?? named.service;
  if (service === undefined) {
    throw new DomainError("invalid", "Cannot take it without a service: its name has none; say --service");
  }
  return {
    service: checkService(service, DEFAULT_LIMITS),
    type: type ?? named.type,
    labels: [...named.labels, ...labels],
  };
}

/** profefe's S3 storage keeps the service as it was, where the key has `__` for each slash. */
function withItsService(named: NamedObject, { service }: StoredBytes): NamedObject {
  const isOfKey = named.layout === "profefe" && service?.replaceAll("__", "/") === named.service;
  return isOfKey ? { ...named, service } : named;
}

function stampOf({ name, sizeBytes, changedMs }: StoredObject): FileStamp {
  return { path: name, sizeBytes: BigInt(sizeBytes), changedNs: BigInt(changedMs) * NS_PER_MS };
}
