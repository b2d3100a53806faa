// PGO as one object: policies, the profiles that they make, and publishing these. What was published is releases.ts's.

import { DomainError } from "../../model/errors.ts";
import type { PgoInput } from "../../model/pgo-manifest.ts";
import { DEFAULT_PGO_POLICY, isAtLeast, type PgoVerdict } from "../../model/pgo-policy.ts";
import { formatSelector, type Selector } from "../../model/selector.ts";
import type { Interval } from "../../model/time.ts";
import type { MadeWithInputs, PgoMade } from "./make.ts";
import { PGO_ALGORITHM_VERSION } from "./make.ts";
import { type PgoDependencies, type PgoRequest, pgoProfile, publishable, selectorOf } from "./pgo-profile.ts";
import type { Policies } from "./policies.ts";
import type { Release, Releases } from "./releases.ts";

export interface PgoQuestion {
  service: string;
  /** Default: `default`. */
  policy?: string | undefined;
  /** Narrows the policy's own selector. */
  narrow?: Selector | undefined;
  /** Instead of the policy's window, and never extended. */
  interval?: Interval | undefined;
  /** A value of the policy's mode label. */
  mode?: string | undefined;
  /** The window ends now instead of with the last full hour. */
  untilNow?: boolean | undefined;
  /** As in MergeRequest. */
  reserve?: ((answerBytes: number) => Promise<void>) | undefined;
  signal: AbortSignal;
}

export interface Publishing {
  /** Default: today's date. */
  name?: string | undefined;
  channels?: readonly string[];
  /** Default: anything that is not unusable. */
  require?: PgoVerdict | undefined;
}

export interface Pgo {
  readonly policies: Policies;
  /**
   * Equal for equal profiles and policies, whatever came in which order and is packed. Throws `not-found` where there is nothing suitable, and
   * what merges throw.
   */
  profile(question: PgoQuestion): Promise<PgoMade>;
  /** Throws as profile() and Releases.publish() do, and `conflict` where the verdict is not good enough. */
  publish(question: PgoQuestion, publishing: Publishing): Promise<{ release: Release; alreadyExisted: boolean }>;
}

const RECORDS_PER_READ = 1000;

export function createPgo(dependencies: PgoDependencies, policies: Policies, releases: Releases): Pgo {
  const { catalog } = dependencies;

  async function requestOf({ policy: name, ...question }: PgoQuestion): Promise<PgoRequest> {
    const { policy } = await policies.get(question.service, name ?? DEFAULT_PGO_POLICY.name);
    const [latest] = await catalog.pgo.releases({ service: question.service, limit: 1 });
    const previous = latest && {
      name: latest.name,
      digest: Buffer.from(latest.digest).toString("hex"),
      read: () => releases.profile(latest),
    };
    return { ...question, policy, previous };
  }

  return {
    policies,
    profile: async (question) => pgoProfile(dependencies, await requestOf(question)),
    async publish(question, { name, channels, require = "poor" }) {
      const request = await requestOf(question);
      const made = await publishable(dependencies, request);
      const { verdict } = made.report;
      if (!isAtLeast(verdict, require)) {
        throw new DomainError("conflict", `Cannot publish it: the profile is ${verdict}, and ${require} is required`);
      }
      return releases.publish({
        service: question.service,
        name,
        ...(channels && { channels }),
        profile: { gzipped: made.bytes, digest: Buffer.from(made.digest, "hex") },
        verdict,
        making: {
          selector: formatSelector(selectorOf(request, dependencies.limits)),
          interval: made.summary.interval,
          policy: request.policy,
          algorithmVersion: PGO_ALGORITHM_VERSION,
          skipped: made.summary.skipped,
          report: made.report,
        },
        inputs: await inputsOf(made),
      });
    },
  };

  /** Those that were deleted meanwhile are in it all the same: their bytes were. */
  async function inputsOf({ inputs }: MadeWithInputs): Promise<PgoInput[]> {
    const known: PgoInput[] = [];
    for (let from = 0; from < inputs.length; from += RECORDS_PER_READ) {
      const part = inputs.slice(from, from + RECORDS_PER_READ);
      const records = await catalog.get(part.map(({ id }) => id));
      for (const [at, { id, timeNs, weight }] of part.entries()) {
        const { digest = new Uint8Array(0), labels = [] } = records[at] ?? {};
        known.push({ id, digest, timeNs, labels, weight: BigInt(weight) });
      }
    }
    return known;
  }
}
