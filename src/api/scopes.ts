// What each method of the contract needs of its caller. A method without a scope does not compile.

import type { DescMethod } from "@bufbuild/protobuf";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { AdminService } from "../../gen/profusion/v1/admin_service_pb.ts";
import { PgoService } from "../../gen/profusion/v1/pgo_service_pb.ts";
import { ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import { QueryService } from "../../gen/profusion/v1/query_service_pb.ts";
import type { Scope } from "../http/access.ts";

const PROFILE: Record<keyof typeof ProfileService.method, Scope> = {
  createProfile: "write",
  batchCreateProfiles: "write",
  uploadProfile: "write",
  getProfile: "read",
  downloadProfile: "read",
  listProfiles: "read",
  deleteProfile: "delete",
  deleteProfiles: "delete",
};

const QUERY: Record<keyof typeof QueryService.method, Scope> = {
  mergeProfiles: "read",
  streamMergedProfile: "read",
  listTopFunctions: "read",
  parseSelector: "read",
  listServices: "read",
  listProfileTypes: "read",
  listLabelNames: "read",
  listLabelValues: "read",
  listSeries: "read",
};

/** Keys of builds fetch; what every build will get is changed by few. */
const PGO: Record<keyof typeof PgoService.method, Scope> = {
  getPgoProfile: "pgo",
  getPgoReport: "pgo",
  getPgoPolicy: "pgo",
  listPgoPolicies: "pgo",
  updatePgoPolicy: "admin",
  deletePgoPolicy: "admin",
  publishRelease: "admin",
  getRelease: "pgo",
  listReleases: "pgo",
  listChannels: "pgo",
  moveChannel: "admin",
};

const ADMIN: Record<keyof typeof AdminService.method, Scope> = {
  getStatus: "read",
  getUsage: "read",
  pack: "admin",
  verify: "admin",
  getOperation: "admin",
};

const SCOPES = new Map<string, Readonly<Record<string, Scope>>>([
  [ProfileService.typeName, PROFILE],
  [QueryService.typeName, QUERY],
  [PgoService.typeName, PGO],
  [AdminService.typeName, ADMIN],
]);

/** gRPC's own, which tell nothing of anybody's profiles. */
const FOR_EVERYBODY = new Set<string>(
  [Health, ServerReflection, ServerReflectionAlpha].map(({ typeName }) => typeName),
);

/** Undefined: for everybody. A service that nobody thought of here is for administrators. */
export function scopeOf({ parent, localName }: DescMethod): Scope | undefined {
  if (FOR_EVERYBODY.has(parent.typeName)) return undefined;
  return SCOPES.get(parent.typeName)?.[localName] ?? "admin";
}
