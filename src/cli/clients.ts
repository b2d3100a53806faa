// The contract's clients as the verbs use them: with a key, and with errors in the words of the command line (call-failure.ts).

import {
  createRegistry,
  type DescMessage,
  type JsonValue,
  type Message,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AdminService, file_profusion_v1_admin_service } from "../../gen/profusion/v1/admin_service_pb.ts";
import { file_profusion_v1_pgo_service, PgoService } from "../../gen/profusion/v1/pgo_service_pb.ts";
import { file_profusion_v1_profile } from "../../gen/profusion/v1/profile_pb.ts";
import { file_profusion_v1_profile_service, ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import { file_profusion_v1_query_service, QueryService } from "../../gen/profusion/v1/query_service_pb.ts";
import { callFailure } from "./call-failure.ts";
import { withNumbers } from "./json-numbers.ts";

export interface Clients {
  profiles: Client<typeof ProfileService>;
  query: Client<typeof QueryService>;
  admin: Client<typeof AdminService>;
  pgo: Client<typeof PgoService>;
  /** A message as `--json` shows it: the contract's JSON, with every field, and 64-bit numbers as numbers where JSON can hold them. */
  json(message: Message): JsonValue;
}

export function openClients(server: string, key: string | undefined): Clients {
  const interceptors = key === undefined ? [] : [bearing(key)];
  const transport = inWords(createConnectTransport({ baseUrl: server, httpVersion: "1.1", interceptors }), server);
  return {
    profiles: createClient(ProfileService, transport),
    query: createClient(QueryService, transport),
    admin: createClient(AdminService, transport),
    pgo: createClient(PgoService, transport),
    json: (message) => {
      const schema = schemaOf(message);
      return withNumbers(schema, toJson(schema, message, { alwaysEmitImplicit: true }));
    },
  };
}

let registry: Registry | undefined;

/** Made when it is first asked for: most runs print no JSON. */
function schemaOf({ $typeName }: Message): DescMessage {
  registry ??= createRegistry(
    file_profusion_v1_profile,
    file_profusion_v1_profile_service,
    file_profusion_v1_query_service,
    file_profusion_v1_admin_service,
    file_profusion_v1_pgo_service,
  );
  const schema = registry.getMessage($typeName);
  if (schema === undefined) throw new Error(`the contract has no message ${$typeName}`);
  return schema;
}

function bearing(key: string): Interceptor {
  return (next) => (request) => {
    request.header.set("Authorization", `Bearer ${key}`);
    return next(request);
  };
}

/** Around the transport, since it takes what an interceptor throws for a fault of its own. Also covers what a stream throws later. */
function inWords(transport: Transport, server: string): Transport {
  const orInWords = <Answer>(call: Promise<Answer>): Promise<Answer> =>
    call.catch((error: unknown) => {
      throw callFailure(error, server);
    });
  return {
    unary: (...call) => orInWords(transport.unary(...call)),
    async stream(...call) {
      const response = await orInWords(transport.stream(...call));
      return { ...response, message: partsInWords(response.message, server) };
    },
  };
}

async function* partsInWords<Part>(parts: AsyncIterable<Part>, server: string): AsyncGenerator<Part> {
  try {
    yield* parts;
  } catch (error) {
    throw callFailure(error, server);
  }
}
