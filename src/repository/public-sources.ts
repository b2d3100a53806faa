// Profiles that anybody may send: scrubbed, and held apart until their source has sent enough for long enough, or was let in. Whatever
// protocol takes them, they pass here; what is held apart is of the service quarantine/<service>, so that no question finds it by chance.

import { DomainError } from "../model/errors.ts";
import type { Label } from "../model/labels.ts";
import type { Limits } from "../model/limits.ts";
import { type Selector, selectorOf } from "../model/selector.ts";
import { isSource, SOURCE_LABEL, sourcePrefix } from "../model/source.ts";
import { earlierOf, NS_PER_MS } from "../model/time.ts";
import type { PushOutcome, PushRequest, Repository } from "./repository.ts";

export interface PublicSourcesOptions {
  limits: Limits;
  nowNs: () => bigint;
  /** Labels that what a source's name begins with is bound to: they are ours, and stay. */
  boundLabels: (prefix: string) => ReadonlySet<string>;
  /** Sources that count without waiting. */
  admitted: () => ReadonlySet<string>;
  report: (message: string, error: unknown) => void;
}

export interface RepositoryOfAll extends Repository {
  /** Lets in what is held of the sources that are admitted now. */
  letInAdmitted(): void;
}

export const QUARANTINE = "quarantine/";
/** What a sender of a public key may say of itself: what a PGO profile is chosen and judged by. */
const KEPT_LABELS = new Set(["version", "go_version", "goos", "goarch", "via"]);
/** Sources whose standing is remembered; others are looked up. */
const REMEMBERED = 10_000;
const PAGE = 100;

export function withPublicSources(repository: Repository, options: PublicSourcesOptions): RepositoryOfAll {
  const { limits, nowNs, admitted, boundLabels, report } = options;
  /** Sources that count, and of which nothing is held any more. */
  const counting = new Set<string>();
  const movings = new Map<string, Promise<void>>();

  async function push(request: PushRequest): Promise<PushOutcome> {
    const { submitter: source } = request;
    if (source === undefined || !isSource(source)) return repository.push(request);
    const clean = scrubbed(request, source, boundLabels(sourcePrefix(source)));
    if (isIn(source) || admitted().has(source) || (await hasCounted(source))) {
      if (!isIn(source)) letIn(source);
      return repository.push(clean);
    }
    const outcome = await repository.push({ ...clean, service: QUARANTINE + request.service });
    // Where others of its profiles were let in meanwhile, this one came behind their back.
    if (isIn(source) || (await mayCount(source))) letIn(source);
    return outcome;
  }

  function isIn(source: string): boolean {
    return counting.has(source) || movings.has(source);
  }

  async function hasCounted(source: string): Promise<boolean> {
    const series = await seriesOf(repository, source, limits);
    return series.some(({ service }) => !service.startsWith(QUARANTINE));
  }

  /** By receipt, since a sender can claim any time. Of the oldest so many: a source that sends out of order waits a little longer. */
  async function mayCount(source: string): Promise<boolean> {
    const { quarantineProfiles, quarantineMs } = limits;
    const { records } = await repository.list({
      selector: selectorOfSource(source),
      order: "oldest",
      limit: quarantineProfiles, // at most a page: ORDERED_LIMITS
    });
    if (records.length < quarantineProfiles) return false;
    const firstNs = records.map(({ receivedNs }) => receivedNs).reduce(earlierOf);
    return nowNs() - firstNs >= BigInt(quarantineMs) * NS_PER_MS;
  }

  /** Nobody waits for it. What stops it half-way loses nothing: the next profile of the source goes on where it ended. */
  function letIn(source: string): void {
    const before = movings.get(source) ?? Promise.resolve();
    const moving = before
      .then(() => moveIn(repository, source, limits))
      .then(() => {
        if (counting.size >= REMEMBERED) counting.clear();
        counting.add(source);
      })
      .catch((error: unknown) => report(`what is held of source ${source} could not be let in`, error))
      .finally(() => {
        if (movings.get(source) === moving) movings.delete(source);
      });
    movings.set(source, moving);
  }

  return {
    ...repository,
    push,
    letInAdmitted() {
      for (const source of admitted()) if (!isIn(source)) letIn(source);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(movings.values());
      await repository[Symbol.asyncDispose]();
    },
  };
}

/** Also without ids of the sender's choice, which may be any text. */
function scrubbed(request: PushRequest, source: string, bound: ReadonlySet<string>): PushRequest {
  const { externalId: _, requestId: __, ...rest } = request;
  if (request.type === "trace") {
    throw new DomainError(
      "invalid",
      "Cannot take a trace by a public key: nobody could take out of it what tells of its sender",
    );
  }
  const kept = request.labels.filter(({ name }) => name !== SOURCE_LABEL && (KEPT_LABELS.has(name) || bound.has(name)));
  const labels: Label[] = [...kept, { name: SOURCE_LABEL, value: source }];
  return { ...rest, labels, scrub: true };
}

async function seriesOf(repository: Repository, source: string, limits: Limits) {
  return repository.series({ selector: selectorOfSource(source), prefix: "", limit: limits.pageSizeMax });
}

function selectorOfSource(source: string, service?: string): Selector {
  return selectorOf(service, undefined, [{ name: SOURCE_LABEL, value: source }]);
}

/** Each is stored where it counts before it is gone from where it does not; storing it twice is storing it once. */
async function moveIn(repository: Repository, source: string, limits: Limits): Promise<void> {
  const services = new Set((await seriesOf(repository, source, limits)).map(({ service }) => service));
  for (const held of services) {
    if (!held.startsWith(QUARANTINE)) continue;
    const selector = selectorOfSource(source, held);
    for (;;) {
      const { records } = await repository.list({ selector, order: "oldest", limit: PAGE });
      if (records.length === 0) break;
      for (const { id } of records) await moveOne(repository, id, held.slice(QUARANTINE.length));
    }
  }
}

async function moveOne(repository: Repository, id: string, service: string): Promise<void> {
  const { record, bytes } = await repository.download(id);
  const { type, labels, submitter, timeNs, timeSource } = record;
  const time = { clientTimeNs: timeNs, clientTimeFirst: timeSource === "client" };
  await repository.push({ service, type, labels, bytes, ...time, ...(submitter && { submitter }) });
  await repository.delete(id);
}
