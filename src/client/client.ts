// What `profusion/client` is to those who install the package: the generated services, and a client of all of them. The messages are at
// `profusion/v1/profile` and its neighbours. The command line has its own way to the server (src/cli/connection.ts).

import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AdminService } from "../../gen/profusion/v1/admin_service_pb.ts";
import { ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import { QueryService } from "../../gen/profusion/v1/query_service_pb.ts";

export interface ProfusionClient {
  profiles: Client<typeof ProfileService>;
  queries: Client<typeof QueryService>;
  admin: Client<typeof AdminService>;
}

export interface ProfusionClientOptions {
  /** Sent with every request as `Authorization: Bearer`. Default: none. */
  key?: string;
}

/**
 * A client of the server at `url`, such as http://127.0.0.1:10100. It connects when it is first asked; what fails is a ConnectError, of
 * @connectrpc/connect. Where another transport is wanted, make clients of the services with createClient of that package.
 */
export function createProfusionClient(url: string, { key }: ProfusionClientOptions = {}): ProfusionClient {
  const transport = createConnectTransport({
    baseUrl: url.replace(/\/+$/, ""),
    httpVersion: "1.1",
    interceptors: key === undefined ? [] : [bearer(key)],
  });
  return {
    profiles: createClient(ProfileService, transport),
    queries: createClient(QueryService, transport),
    admin: createClient(AdminService, transport),
  };
}

function bearer(key: string): Interceptor {
  return (next) => (request) => {
    request.header.set("Authorization", `Bearer ${key}`);
    return next(request);
  };
}

export { AdminService, ProfileService, QueryService };
