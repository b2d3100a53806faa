// PGO as one object: policies, the profiles that they make, and what is published of these. Keeping that is releases.ts's.

import { DEFAULT_PGO_POLICY } from "../../model/pgo-policy.ts";
import { formatSelector, type Selector } from "../../model/selector.ts";
import type { Interval } from "../../model/time.ts";
import { PGO_ALGORITHM_VERSION, type PgoMade } from "./make.ts";
import { manifestInputs } from "./manifest-inputs.ts";
import { type PgoDependencies, type PgoRequest, pgoProfile, publishable, selectorOf } from "./pgo-profile.ts";
import type { Policies } from "./policies.ts";
import type { PublishRequest, Releases } from "./releases.ts";

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

export interface Pgo {
  readonly policies: Policies;
  /**
   * Equal for equal profiles and policies, whatever came in which order and is packed. Throws `not-found` where there is nothing suitable, and
   * what merges throw.
   */
  profile(question: PgoQuestion): Promise<PgoMade>;
  /** The same, with all that a release of it says. Throws as profile() does, and `conflict` where a profile of it is deleted meanwhile. */
  toPublish(question: PgoQuestion): Promise<ToPublish>;
}

export type ToPublish = Pick<PublishRequest, "service" | "profile" | "verdict" | "making" | "inputs">;

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
    async toPublish(question) {
      const request = await requestOf(question);
      const { bytes, digest, report, summary, inputs } = await publishable(dependencies, request);
      return {
        service: question.service,
        profile: { gzipped: bytes, digest: Buffer.from(digest, "hex") },
        verdict: report.verdict,
        making: {
          selector: formatSelector(selectorOf(request, dependencies.limits)),
          interval: summary.interval,
          policy: request.policy,
          algorithmVersion: PGO_ALGORITHM_VERSION,
          skipped: summary.skipped,
          report,
        },
        inputs: await manifestInputs(catalog, inputs),
      };
    },
  };
}
