// AdminService: what the repository holds, and work on all of it. Contract in, one call of the repository, contract out.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { Logger } from "pino";
import type * as contract from "../../gen/profusion/v1/admin_service_pb.ts";
import { DomainError, fromErrorMessage } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { Operation } from "../repository/operations.ts";
import type { PackResult, Repository, VerifyResult } from "../repository/repository.ts";
import { timestampOf } from "./convert.ts";
import { toConnectError } from "./errors.ts";
import { getUsage } from "./usage.ts";

const MAX_WAIT_MS = 60_000;

export function adminService(
  repository: Repository,
  limits: Limits,
  logger: Logger,
  version: string,
): ServiceImpl<typeof contract.AdminService> {
  return {
    async getStatus() {
      const { profiles, series, services, originalBytes, packs, packing } = await repository.status();
      return {
        version,
        profileCount: BigInt(profiles),
        seriesCount: BigInt(series),
        serviceCount: BigInt(services),
        originalBytes: BigInt(originalBytes),
        packs: {
          enabled: packing.isPacking,
          looseProfiles: BigInt(profiles - packs.profiles),
          packedProfiles: BigInt(packs.profiles),
          packCount: BigInt(packs.packs),
          packBytes: BigInt(packs.sizeBytes),
          ...(packing.backlogNs !== undefined && { backlogTime: timestampOf(packing.backlogNs) }),
          running: packing.running,
          lastFailure: packing.lastFailure,
        },
      };
    },

    getUsage: (request) => getUsage(repository, limits, request),

    async pack() {
      return { operation: operationMessage(repository.startPack(), logger) };
    },

    async verify() {
      return { operation: operationMessage(repository.startVerify(), logger) };
    },

    async getOperation({ id, maxWait }) {
      const waitMs = maxWait ? Number(maxWait.seconds) * 1000 + maxWait.nanos / 1e6 : 0;
      if (!(waitMs >= 0)) throw new DomainError("invalid", "Cannot wait for less than no time: max_wait is 0 or more");
      return { operation: operationMessage(await repository.operation(id, Math.min(waitMs, MAX_WAIT_MS)), logger) };
    },
  };
}

function operationMessage(
  { id, startNs, endNs, progress, error, result }: Operation<PackResult | VerifyResult>,
  logger: Logger,
): MessageInitShape<typeof contract.OperationSchema> {
  const ended = endNs === undefined ? undefined : error ? errorMessage(error, logger) : resultMessage(result!);
  return {
    id,
    startTime: timestampOf(startNs),
    ...(endNs !== undefined && { endTime: timestampOf(endNs) }),
    done: endNs !== undefined,
    progress,
    ...(ended && { result: ended }),
  };
}

function errorMessage(error: NonNullable<Operation<unknown>["error"]>, logger: Logger) {
  const { code, rawMessage } = toConnectError(fromErrorMessage(error), logger);
  return { case: "error" as const, value: { code, message: rawMessage } };
}

function resultMessage(result: PackResult | VerifyResult) {
  if ("refused" in result) {
    const { profiles, packs, bytes, refused } = result;
    const value = {
      packedProfiles: BigInt(profiles),
      packCount: BigInt(packs),
      packBytes: BigInt(bytes),
      refusedProfiles: BigInt(refused),
    };
    return { case: "pack" as const, value };
  }
  const { packs, profiles, damaged, damagedPacks, releases, damagedReleases, damagedReleaseCount } = result;
  const value = {
    packCount: BigInt(packs),
    profileCount: BigInt(profiles),
    damaged: damaged.map(({ packId, detail }) => ({ packId: BigInt(packId), detail })),
    damagedCount: BigInt(damagedPacks),
    releaseCount: BigInt(releases),
    damagedReleases: [...damagedReleases],
    damagedReleaseCount: BigInt(damagedReleaseCount),
  };
  return { case: "verify" as const, value };
}
