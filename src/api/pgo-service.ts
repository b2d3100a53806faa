// PgoService: PGO profiles and policies. Contract in, one call of the repository, contract out. Releases and channels are pgo-releases.ts's.

import type { ContextValues, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type * as contract from "../../gen/profusion/v1/pgo_service_pb.ts";
import { boundSelector } from "../http/bound.ts";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { checkPgoName, DEFAULT_PGO_POLICY } from "../model/pgo-policy.ts";
import type { PgoQuestion } from "../repository/pgo/pgo.ts";
import type { FoundPolicy } from "../repository/pgo/policies.ts";
import type { Repository } from "../repository/repository.ts";
import { grantKey } from "./admission.ts";
import { intervalOf, selectorOf, summaryMessage } from "./convert.ts";
import { holdAnswerKey } from "./hold-answer.ts";
import { policyMessage, policyOf } from "./pgo-policy.ts";
import { releaseMethods, versionOf } from "./pgo-releases.ts";
import { reportMessage } from "./pgo-report.ts";

/** What a report may take of a unary answer beside the profile. */
const REPORT_BYTES = 128 * 1024;

export function pgoService(repository: Repository, limits: Limits): ServiceImpl<typeof contract.PgoService> {
  return {
    async getPgoProfile({ question }, { signal, values, responseHeader }) {
      const reserve = async (answerBytes: number) => {
        checkUnary(answerBytes, limits);
        await values.get(holdAnswerKey)(answerBytes);
      };
      const made = await repository.pgo.profile({
        ...boundQuestion(questionOf(question, limits), values),
        signal,
        reserve,
      });
      // Weak: the summary beside the profile may count packs differently for the same profile.
      responseHeader.set("ETag", `W/"${made.digest}"`);
      return {
        profileBytes: made.bytes,
        digest: Buffer.from(made.digest, "hex"),
        report: reportMessage(made),
        summary: summaryMessage(made.summary),
      };
    },

    async getPgoReport({ question }, { signal, values }) {
      const made = await repository.pgo.profile({ ...boundQuestion(questionOf(question, limits), values), signal });
      return { report: reportMessage(made), summary: summaryMessage(made.summary) };
    },

    async getPgoPolicy({ service, name }) {
      return foundMessage(await repository.pgo.policies.get(service, name || DEFAULT_PGO_POLICY.name));
    },

    async listPgoPolicies({ service }) {
      return { policies: (await repository.pgo.policies.list(service)).map(policyMessage) };
    },

    async updatePgoPolicy({ service, policy, etag }) {
      if (policy === undefined) throw new DomainError("invalid", "Cannot set no policy: set policy");
      return foundMessage(await repository.pgo.policies.put(service, policyOf(policy), versionOf(etag)));
    },

    async deletePgoPolicy({ service, name, etag }) {
      checkPgoName("policy", name);
      await repository.pgo.policies.remove(service, name, versionOf(etag));
      return {};
    },

    ...releaseMethods(repository, limits, (question, signal: HandlerContext["signal"]) =>
      repository.pgo.toPublish({ ...questionOf(question, limits), signal }),
    ),
  };
}

type Question = Omit<PgoQuestion, "signal">;

function questionOf(message: contract.PgoQuestion | undefined, limits: Limits): Question {
  if (message === undefined || message.service === "") {
    throw new DomainError("invalid", "Cannot make a PGO profile of nothing in particular: set question.service");
  }
  const { service, policy, selector, mode, untilNow } = message;
  const interval = intervalOf(message.interval);
  if (untilNow && interval) {
    throw new DomainError("invalid", "Cannot use until_now together with an interval: it is of the policy's window");
  }
  return {
    service,
    policy: policy || undefined,
    narrow: selectorOf(selector, limits),
    interval,
    mode: mode || undefined,
    untilNow,
  };
}

/** Its service, onlyAdmitted has bound. */
function boundQuestion(question: Question, values: ContextValues): Question {
  const grant = values.get(grantKey);
  return grant ? { ...question, narrow: boundSelector(grant, question.narrow) } : question;
}

function foundMessage({ policy, version }: FoundPolicy) {
  return { policy: policyMessage(policy), etag: version === undefined ? "" : String(version) };
}

function checkUnary(answerBytes: number, limits: Limits): void {
  const allowedBytes = Math.max(0, limits.unaryResultBytes - REPORT_BYTES);
  if (answerBytes <= allowedBytes) return;
  throw new DomainError(
    "too-large",
    `Cannot answer ${answerBytes} bytes at once: at most ${allowedBytes} are allowed; ask GET /api/0/pgo/<service>`,
    { subject: "result" },
  );
}
