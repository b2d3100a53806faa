// One pack set from plan to settled rows. Profiles are read and added, packs written and verified; then the catalog switches to them in one
// commit. Whatever is interrupted leaves the state of before, or of after the switch, and packs that nobody names: pack-files.ts deletes them.

import { DomainError } from "../model/errors.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { Catalog } from "../storage/catalog.ts";
import type { PackFile, PackRows, PackSet } from "../storage/pack-catalog.ts";
import { packName } from "../storage/pack-name.ts";
import { paced } from "./pace.ts";
import type { AddAnswer, FinishAnswer, Refusal, VerifyAnswer } from "./pack-job-answers.ts";
import { type PackPlan, profilesOf } from "./pack-policy.ts";
import type { PackMessage } from "./pack-worker.ts";
import type { ReadGuard } from "./read-guard.ts";
import type { PackResult } from "./repository.ts";

export interface PackRunOptions {
  catalog: Catalog;
  blobs: BlobStore;
  reads: ReadGuard;
  /** Whether the bytes as they were sent go when their rows are marked. */
  release: boolean;
  /** A step of the packer's thread. */
  ask: <Answer>(message: PackMessage) => Promise<Answer>;
  /** Told of packs that cannot be read, where the run goes on without them. */
  reportDamage: (message: string) => void;
  /** Throws when the packer is stopped. */
  checkStopped: () => void;
}

/** Why a profile cannot be packed: `differs` is one that was not written again as it was sent. */
export type RefusalReason = Refusal | "differs";

/** Profiles that are not in the packs, by their positions in the rows. */
interface LeftOut {
  at: number;
  reason: RefusalReason;
  message: string;
}

/** What was made, when all of it was what had been sent. */
interface Made {
  setId?: number;
  files: PackFile[];
  newProfiles: number;
  kept: number;
  leftOut: LeftOut[];
}

/** Ids in one commit: uploads wait for no more. */
const SLICE = 100;
/** Each leaves out what the one before could not write again. */
const TRIES = 5;

/** Settled and verified when it resolves. Answers besides how many are kept as bytes, and why profiles were refused. */
export async function carryOut(
  options: PackRunOptions,
  plan: PackPlan,
  pace: number,
): Promise<PackResult & { written: number; kept: number; leftOut: readonly LeftOut[] }> {
  const before: LeftOut[] = [];
  for (let left = TRIES; left > 0; left--) {
    const made = await makeSet(options, plan, pace);
    if ("differing" in made) {
      before.push(...made.differing);
      continue;
    }
    if (made.setId !== undefined) await settle(options, made.setId, pace);
    return {
      profiles: made.newProfiles,
      kept: made.kept,
      written: made.files.reduce((sum, { profiles }) => sum + profiles, 0),
      packs: made.files.length,
      bytes: made.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      refused: before.length + made.leftOut.length,
      leftOut: [...before, ...made.leftOut],
    };
  }
  throw new DomainError("unavailable", "Profiles that were packed were not what was sent, again and again");
}

/** All steps up to the switch. Profiles that differed from what was sent are set aside, and the next try is without them. */
async function makeSet(
  options: PackRunOptions,
  plan: PackPlan,
  pace: number,
): Promise<Made | { differing: readonly LeftOut[] }> {
  const { catalog, reads, ask, checkStopped } = options;
  // What the rows name stays readable meanwhile.
  using _reading = reads.enter();
  const { runId } = await catalog.beginPack(plan.request);
  try {
    const rows = await catalog.packRows(runId);
    const replaced = await catalog.packSets({ setIds: plan.replaces });
    const { files, refused, differing, kept } = await build(options, { plan, rows, replaced, pace });
    const leftOut = [...refused, ...differing];
    await setAside(catalog, rows, leftOut);
    checkStopped();
    if (differing.length > 0) {
      await catalog.abandonPack(runId);
      return { differing: leftOut };
    }
    const left = new Set(leftOut.map(({ at }) => at));
    const seqs = rows.seqs.filter((_, at) => !left.has(at));
    const switched = await catalog.switchPackSet({ runId, packs: files, seqs, replaces: plan.replaces });
    const before = replaced.reduce((sum, set) => sum + profilesOf(set) - set.deleted.length, 0);
    const after = files.reduce((sum, { profiles }) => sum + profiles, 0);
    return { ...switched, files, newProfiles: Math.max(0, after - before), kept, leftOut };
  } catch (error) {
    await catalog.abandonPack(runId);
    throw error;
  } finally {
    await ask({ kind: "end" }).catch(() => {}); // a thread that is lost has nothing to end
  }
}

interface Build {
  plan: PackPlan;
  rows: PackRows;
  replaced: readonly PackSet[];
  pace: number;
}

async function build(options: PackRunOptions, { plan, rows, replaced, pace }: Build) {
  const { catalog, blobs, ask, reportDamage, checkStopped } = options;
  const files: PackFile[] = [];
  const refused: LeftOut[] = [];
  const differing: LeftOut[] = [];
  let kept = 0;
  if (rows.count === 0) return { files, refused, differing, kept };
  const step = <Answer>(message: PackMessage) => {
    checkStopped();
    return paced(pace, () => ask<Answer>(message));
  };
  const sources = replaced.flatMap(({ packs }) => packs.map(({ packId }) => blobs.objectReference(packName(packId))));
  await ask({ kind: "begin", options: { signature: catalog.packNames(plan.request), rows, sources } });
  for (let isDone = false; !isDone; ) {
    const added = await step<AddAnswer>({ kind: "add" });
    refused.push(...added.refused);
    for (const message of added.damage) reportDamage(message);
    isDone = added.isDone;
    if (!isDone && !added.isFull) continue;
    let finished = await step<FinishAnswer | undefined>({ kind: "finish" });
    while (finished && !finished.bytes) finished = await step<FinishAnswer | undefined>({ kind: "finish" });
    if (finished?.bytes === undefined) continue;
    const packId = await catalog.nextPackId();
    files.push({ packId, profiles: finished.profiles, sizeBytes: finished.bytes.length });
    await blobs.put(packName(packId), finished.bytes);
    const reference = blobs.objectReference(packName(packId));
    for (let isVerified = false; !isVerified; ) {
      const verified = await step<VerifyAnswer>({ kind: "verify", reference });
      differing.push(...verified.differing.map((one) => ({ ...one, reason: "differs" as const })));
      kept += verified.kept;
      isVerified = verified.isDone;
    }
  }
  return { files, refused, differing, kept };
}

async function setAside(catalog: Catalog, rows: PackRows, leftOut: readonly LeftOut[]): Promise<void> {
  for (let from = 0; from < leftOut.length; from += SLICE) {
    const slice = leftOut.slice(from, from + SLICE);
    await catalog.setAside(slice.map(({ at }) => rows.ids.slice(at * 16, at * 16 + 16)));
  }
}

/** Marks the rows of a set as packed, slice by slice. It may have been begun by an earlier process. */
export async function settle(
  { catalog, release, checkStopped }: Pick<PackRunOptions, "catalog" | "release" | "checkStopped">,
  setId: number,
  pace: number,
): Promise<void> {
  for (let afterId: Uint8Array | undefined; ; ) {
    checkStopped();
    const from = afterId && { afterId };
    afterId = await paced(pace, () => catalog.settlePackSet({ setId, release, ...from }));
    if (afterId === undefined) return;
  }
}
