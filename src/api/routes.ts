// Every service of the contract and of gRPC's own protocols, on a Connect router: which methods there are, and what each may take in.

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, MethodImpl, ServiceImpl } from "@connectrpc/connect";
import type { Logger } from "pino";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { AdminService } from "../../gen/profusion/v1/admin_service_pb.ts";
import { PgoService } from "../../gen/profusion/v1/pgo_service_pb.ts";
import { ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import { QueryService } from "../../gen/profusion/v1/query_service_pb.ts";
import type { Limits } from "../model/limits.ts";
import type { Repository } from "../repository/repository.ts";
import { adminService } from "./admin-service.ts";
import { onlyAdmitted } from "./admission.ts";
import { translateErrors } from "./errors.ts";
import { healthService } from "./health.ts";
import { judgedGzip, queryGate } from "./judged-messages.ts";
import { messageJudge } from "./message-judge.ts";
import { pgoService } from "./pgo-service.ts";
import { profileService } from "./profile-service.ts";
import { queryService } from "./query-service.ts";
import { reflectionServices } from "./reflection.ts";

export interface ContractOptions {
  limits: Limits;
  logger: Logger;
  /** The program's. */
  version: string;
  /** Aborted when the process begins to stop: Health.Watch, which would go on for ever, ends. Other calls have their grace. */
  stopping?: AbortSignal;
}

/** Methods whose answers are compressed already. */
const DOWNLOADS = new Set<DescMethod>([
  ProfileService.method.downloadProfile,
  QueryService.method.mergeProfiles,
  QueryService.method.streamMergedProfile,
  PgoService.method.getPgoProfile,
  PgoService.method.getRelease,
]);

/** `isJson`: which form of messages these routes are for; the other one works too, but is judged by the rules of this one. */
export function contractRoutes(
  repository: Repository,
  { limits, logger, version, stopping }: ContractOptions,
  isJson = false,
): (router: ConnectRouter) => void {
  const told = [
    ProfileService,
    QueryService,
    PgoService,
    AdminService,
    Health,
    ServerReflection,
    ServerReflectionAlpha,
  ];
  const reflection = reflectionServices(told);
  const interceptors = [translateErrors(logger), onlyAdmitted];

  return (router) => {
    serve(ProfileService, profileService(repository, limits, logger));
    serve(QueryService, queryService(repository, limits));
    serve(PgoService, pgoService(repository, limits));
    serve(AdminService, adminService(repository, limits, logger, version));
    const names = [ProfileService, QueryService, PgoService, AdminService].map(({ typeName }) => typeName);
    serve(Health, healthService(repository, names, limits, stopping));
    serve(ServerReflection, reflection.v1);
    serve(ServerReflectionAlpha, reflection.v1alpha);

    function serve<Service extends DescService>(service: Service, methods: ServiceImpl<Service>): void {
      for (const method of service.methods) {
        const judge = messageJudge(method, isJson, limits);
        router.rpc(method, methods[method.localName as keyof typeof methods] as MethodImpl<DescMethod>, {
          interceptors,
          readMaxBytes: judge.maxBytes,
          acceptCompression: [judgedGzip(judge)],
          requestGate: queryGate(judge),
          ...(DOWNLOADS.has(method) && { compressMinBytes: Number.MAX_SAFE_INTEGER }),
        });
      }
    }
  };
}
