// Packs as plain data: the definition of which set covers a profile, and of what each step of packing changes.

import { DomainError } from "../../model/errors.ts";
import type { StoredProfile } from "../catalog.ts";
import type {
  PackIds,
  PackKey,
  PackRun,
  PackRunRequest,
  PackSet,
  PackSetQuery,
  PackStatistics,
  PackSwitch,
} from "../pack-catalog.ts";

type MemorySet = PackSet & { settled: boolean };
type Run = PackRunRequest & PackRun & { deleted: number[] };

export class MemoryPacks {
  /** Ids of profiles that are marked as packed, and that are never packed. By seq. */
  readonly packed = new Set<number>();
  readonly aside = new Set<number>();
  readonly unnamed = new Set<number>();
  #sets: MemorySet[] = [];
  readonly #runs = new Map<number, Run>();
  #lastSetId = 0;
  #lastRunId = 0;
  #lastPackId = 0;

  nextPackId(): number {
    this.unnamed.add(++this.#lastPackId);
    return this.#lastPackId;
  }

  skipIds(last: number): void {
    this.#lastPackId = Math.max(this.#lastPackId, last);
  }

  ids(): PackIds {
    const named = this.#sets.flatMap(({ packs }) => packs.map(({ packId }) => packId));
    return { named: named.sort((a, b) => a - b), unnamed: [...this.unnamed].sort((a, b) => a - b) };
  }

  /** The set that has the profile, deleted ones not counted out. */
  setOf(profile: StoredProfile, key: PackKey): PackSet | undefined {
    return this.#sets.find((set) => !this.aside.has(profile.seq) && covers(set, profile, key));
  }

  set(setId: number): MemorySet | undefined {
    return this.#sets.find((set) => set.setId === setId);
  }

  find({ setIds, key, level, startNs, endNs, deletedShare, unsettled }: PackSetQuery): PackSet[] {
    const found = this.#sets.filter(
      (set) =>
        (setIds === undefined || setIds.includes(set.setId)) &&
        (key === undefined || isKey(set, key)) &&
        (level === undefined || set.level === level) &&
        (startNs === undefined || set.endNs > startNs) &&
        (endNs === undefined || set.startNs < endNs) &&
        (!unsettled || !set.settled) &&
        (deletedShare === undefined ||
          (set.deleted.length > 0 && set.deleted.length >= deletedShare * profilesOf(set))),
    );
    return found.sort(bySet).map(({ settled: _, ...set }) => set);
  }

  statistics(): PackStatistics {
    const packs = this.#sets.flatMap((set) => set.packs);
    const deleted = this.#sets.reduce((sum, set) => sum + set.deleted.length, 0);
    return {
      sets: this.#sets.length,
      packs: packs.length,
      profiles: packs.reduce((sum, { profiles }) => sum + profiles, 0) - deleted,
      sizeBytes: packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    };
  }

  begin(request: PackRunRequest, coversSeq: number): PackRun {
    const runId = ++this.#lastRunId;
    this.#runs.set(runId, { ...request, runId, coversSeq, deleted: [] });
    return { runId, coversSeq };
  }

  run(runId: number): Run {
    const run = this.#runs.get(runId);
    if (run === undefined)
      throw new DomainError("conflict", `Cannot switch to the packs of run ${runId}: it has ended`);
    return run;
  }

  end(runId: number): void {
    this.#runs.delete(runId);
  }

  noteDeletion(profile: StoredProfile, key: PackKey): void {
    const set = this.setOf(profile, key);
    if (set) {
      const deleted = Float64Array.from([...set.deleted, profile.seq]).sort();
      this.#sets = this.#sets.map((other) => (other.setId === set.setId ? { ...other, deleted } : other));
    }
    for (const run of this.#runs.values()) {
      if (!this.aside.has(profile.seq) && covers(run, profile, key)) run.deleted.push(profile.seq);
    }
    this.packed.delete(profile.seq);
  }

  switchTo({ runId, packs, seqs, replaces }: PackSwitch): { setId?: number; freed: number[] } {
    const { deleted, runId: _, ...window } = this.run(runId);
    const replaced = this.#sets.filter(({ setId }) => replaces.includes(setId));
    const absent = replaces.find((setId) => !replaced.some((set) => set.setId === setId));
    if (absent !== undefined) throw new DomainError("conflict", `Cannot replace pack set ${absent}: it is gone`);
    const kept = this.#sets.filter((set) => !replaced.includes(set));
    const other = kept.find(
      (set) =>
        isKey(set, window) &&
        set.startNs < window.endNs &&
        set.endNs > window.startNs &&
        set.seqFrom <= window.coversSeq &&
        set.coversSeq >= window.seqFrom,
    );
    if (other)
      throw new DomainError(
        "conflict",
        `Cannot switch to new packs: pack set ${other.setId} holds some of their profiles`,
      );
    this.#runs.delete(runId);
    this.#sets = kept;
    const freed = replaced.flatMap((set) => set.packs.map(({ packId }) => packId)).sort((a, b) => a - b);
    for (const packId of freed) this.unnamed.add(packId);
    if (packs.length === 0) return { freed };
    for (const { packId } of packs) this.unnamed.delete(packId);
    const setId = ++this.#lastSetId;
    const inside = Float64Array.from(deleted.filter((seq) => seqs.includes(seq)));
    const sorted = [...packs].sort((a, b) => a.packId - b.packId);
    this.#sets.push({ ...window, setId, packs: sorted, deleted: inside.sort(), settled: false });
    return { setId, freed };
  }

  settled(setId: number): void {
    this.#sets = this.#sets.map((set) => (set.setId === setId ? { ...set, settled: true } : set));
  }
}

export function isKey(set: PackKey, { serviceId, typeId, shapeId }: PackKey): boolean {
  return set.serviceId === serviceId && set.typeId === typeId && set.shapeId === shapeId;
}

function covers(set: PackRunRequest & { coversSeq: number }, { timeNs, seq }: StoredProfile, key: PackKey): boolean {
  return isKey(set, key) && timeNs >= set.startNs && timeNs < set.endNs && seq >= set.seqFrom && seq <= set.coversSeq;
}

function profilesOf({ packs }: PackSet): number {
  return packs.reduce((sum, { profiles }) => sum + profiles, 0);
}

function bySet(a: PackSet, b: PackSet): number {
  return (
    a.serviceId - b.serviceId ||
    a.typeId - b.typeId ||
    a.shapeId - b.shapeId ||
    (a.startNs < b.startNs ? -1 : a.startNs > b.startNs ? 1 : a.seqFrom - b.seqFrom)
  );
}
