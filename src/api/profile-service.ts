// ProfileService: profiles as they come, stay and go. Contract in, one call of the repository, contract out.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Logger } from "pino";
import * as contract from "../../gen/profusion/v1/profile_service_pb.ts";
import { boundLabels, boundService } from "../http/bound.ts";
import { GrowingBytes } from "../http/growing-bytes.ts";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { formatSelector, parseSelector } from "../model/selector.ts";
import type { PageRequest, PushOutcome, PushRequest, Repository } from "../repository/repository.ts";
import { grantKey } from "./admission.ts";
import { chunksOf } from "./chunks.ts";
import { intervalOf, namedValue, pageSizeOf, profileMessage, selectorOf, timeNsOf } from "./convert.ts";
import { toConnectError } from "./errors.ts";
import { holdAnswerKey } from "./hold-answer.ts";
import { afterOf, pageToken } from "./page-token.ts";

export function profileService(
  repository: Repository,
  limits: Limits,
  logger: Logger,
): ServiceImpl<typeof contract.ProfileService> {
  return {
    async createProfile(request, context) {
      return createdMessage(
        await repository.push(pushRequest(request.metadata, request.profileBytes, context, limits)),
      );
    },

    async batchCreateProfiles({ requests }, context) {
      if (requests.length < 1 || requests.length > limits.batchProfiles) {
        throw new DomainError(
          "invalid",
          `Cannot take a batch of ${requests.length} profiles: it may have 1 to ${limits.batchProfiles}`,
        );
      }
      const results: MessageInitShape<typeof contract.BatchCreateResultSchema>[] = [];
      // In slices, so that a large batch leaves room for single uploads between them.
      for (let at = 0; at < requests.length; at += limits.commitRows) {
        const slice = requests.slice(at, at + limits.commitRows);
        results.push(...(await Promise.all(slice.map((request) => createOne(request, context)))));
      }
      return { results };
    },

    async uploadProfile(requests, context) {
      const { metadata, bytes } = await collectUpload(requests, limits);
      return createdMessage(await repository.push(pushRequest(metadata, bytes, context, limits)));
    },

    async getProfile({ id }) {
      return { profile: profileMessage(await repository.get(id)) };
    },

    async *downloadProfile({ id }, { values }) {
      const record = await repository.get(id);
      await values.get(holdAnswerKey)(record.sizeBytes);
      const { bytes } = await repository.download(record.id);
      yield { part: { case: "profile" as const, value: profileMessage(record) } };
      for (const chunk of chunksOf(bytes)) yield { part: { case: "chunk" as const, value: chunk } };
    },

    async listProfiles(request) {
      const selector = selectorOf(request.selector, limits);
      const interval = intervalOf(request.interval);
      const order = namedValue(ORDERS, request.order, "order");
      const identity = ["profiles", formatSelector(selector), `${interval?.startNs}`, `${interval?.endNs}`, order];
      const afterId = afterOf(request.pageToken, identity);
      const page = await repository.list({
        selector,
        order,
        limit: pageSizeOf(request.pageSize, limits),
        ...(interval && { interval }),
        ...(afterId !== undefined && { afterId }),
      });
      return { profiles: page.records.map(profileMessage), nextPageToken: pageToken(page.nextAfterId, identity) };
    },

    async deleteProfile({ id }) {
      await repository.delete(id);
      return {};
    },

    async deleteProfiles(request) {
      if (request.selector === "") {
        throw new DomainError("invalid", "Cannot delete without a selector: name one; {} is everything");
      }
      const interval = intervalOf(request.interval);
      const selection = { selector: parseSelector(request.selector, limits), ...(interval && { interval }) };
      if (request.validateOnly) {
        const { count, sizeBytes, etag } = await repository.previewDelete(selection);
        return { profileCount: BigInt(count), sizeBytes: BigInt(sizeBytes), etag };
      }
      if (request.etag === "") {
        throw new DomainError(
          "invalid",
          "Cannot delete without an etag: call with validate_only first, which answers the count and the etag to repeat",
        );
      }
      return { profileCount: BigInt(await repository.deleteSelection(selection, request.etag)) };
    },
  };

  async function createOne(
    request: contract.CreateProfileRequest,
    context: HandlerContext,
  ): Promise<MessageInitShape<typeof contract.BatchCreateResultSchema>> {
    try {
      const push = pushRequest(request.metadata, request.profileBytes, context, limits);
      return { outcome: { case: "created", value: createdMessage(await repository.push(push)) } };
    } catch (error) {
      const { code, rawMessage } = toConnectError(error, logger);
      return { outcome: { case: "error", value: { code, message: rawMessage } } };
    }
  }
}

function pushRequest(
  metadata: contract.ProfileMetadata | undefined,
  bytes: Uint8Array,
  context: HandlerContext,
  limits: Limits,
): PushRequest {
  if (metadata === undefined) {
    throw new DomainError("invalid", "Cannot store a profile without metadata: name its service and profile_type");
  }
  if (bytes.length > limits.bodyBytes) throw bodyTooLarge(limits);
  const { service, profileType, labels, startTime, startTimeFirst, requestId, externalId } = metadata;
  const grant = context.values.get(grantKey);
  const sent = labels.map(({ name, value }) => ({ name, value }));
  return {
    service: grant ? boundService(grant, service) : service,
    type: profileType,
    labels: grant ? boundLabels(grant, sent) : sent,
    bytes,
    ...(startTime && { clientTimeNs: timeNsOf(startTime, "metadata.start_time"), clientTimeFirst: startTimeFirst }),
    ...(requestId !== "" && { requestId }),
    ...(externalId !== "" && { externalId }),
    ...(grant && { submitter: grant.submitter }),
  };
}

function createdMessage(outcome: PushOutcome) {
  if (outcome.state === "empty") {
    throw new DomainError("invalid", "Cannot store a profile with no samples: there is nothing in it");
  }
  const { record, alreadyExisted, warnings } = outcome;
  return { profile: profileMessage(record), alreadyExisted, warnings: [...warnings] };
}

async function collectUpload(
  requests: AsyncIterable<contract.UploadProfileRequest>,
  limits: Limits,
): Promise<{ metadata: contract.ProfileMetadata; bytes: Uint8Array }> {
  let metadata: contract.ProfileMetadata | undefined;
  const gathered = new GrowingBytes();
  let messages = 0;
  for await (const { part } of requests) {
    if ((metadata === undefined) !== (part.case === "metadata") || part.case === undefined) {
      throw new DomainError(
        "invalid",
        "Cannot read this upload: it is one message with metadata, then messages with chunks",
      );
    }
    if (++messages > limits.uploadMessages) {
      throw new DomainError(
        "too-large",
        `Cannot take more messages of one upload: at most ${limits.uploadMessages} are allowed; send larger chunks`,
        { subject: "body" },
      );
    }
    if (part.case === "metadata") {
      metadata = part.value;
      continue;
    }
    if (part.value.length === 0) {
      throw new DomainError("invalid", "Cannot take an empty chunk: it must have 1 byte or more");
    }
    if (gathered.length + part.value.length > limits.bodyBytes) throw bodyTooLarge(limits);
    gathered.push(part.value);
  }
  if (metadata === undefined) {
    throw new DomainError("invalid", "Cannot store an upload without messages: send metadata, then chunks");
  }
  return { metadata, bytes: gathered.takeAll() };
}

function bodyTooLarge(limits: Limits): DomainError {
  return new DomainError("too-large", `Cannot store this profile: it has more than ${limits.bodyBytes} bytes`, {
    subject: "body",
  });
}

const ORDERS = new Map<number, PageRequest["order"]>([
  [contract.ProfileOrder.UNSPECIFIED, "newest"],
  [contract.ProfileOrder.NEWEST, "newest"],
  [contract.ProfileOrder.OLDEST, "oldest"],
]);
