// The contract as one handler of HTTP requests: gRPC, gRPC-Web and Connect by content type, bodies within the budget of bytes in flight.

import { type ContextValues, createConnectRouter, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { Access } from "../http/access.ts";
import type { ByteBudget } from "../http/byte-budget.ts";
import type { Exchange } from "../http/exchange.ts";
import { holdAnswer } from "../http/hold-answer.ts";
import type { RpcHandler } from "../http/request-handler.ts";
import type { Repository } from "../repository/repository.ts";
import { grantKey, refusalKey, refusedBody } from "./admission.ts";
import { asClientFault, refusal } from "./client-fault.ts";
import { revalidated } from "./conditional-get.ts";
import { reachedServiceKey } from "./errors.ts";
import { holdAnswerKey } from "./hold-answer.ts";
import { judgedMessages } from "./judged-messages.ts";
import { type MessageJudge, messageJudge } from "./message-judge.ts";
import { discardRest, meteredBody } from "./request-body.ts";
import { type ContractOptions, contractRoutes } from "./routes.ts";
import { scopeOf } from "./scopes.ts";

export interface ContractHandlerOptions extends ContractOptions {
  access: Access;
  budget: ByteBudget;
  /** Shared with everything else that answers profiles. */
  answers: ByteBudget;
}

/** As settings and messages name it. */
const PROTOCOL = "profusion";

export function contractHandler(repository: Repository, options: ContractHandlerOptions): RpcHandler {
  const { limits, logger, access, budget, answers } = options;
  const handlers = handlersByPath(repository, options, false);
  // JSON is decoded on the event loop, base64 and all: it may carry less.
  const jsonHandlers = handlersByPath(repository, options, true);

  return {
    paths: new Set(handlers.keys()),
    handle(exchange) {
      answer(exchange).catch((error: unknown) => {
        // What remains here is the connection: writing failed since the client has left.
        logger.debug({ err: error }, "an answer of the contract could not be written");
        exchange.response.destroy();
      });
    },
  };

  async function answer(exchange: Exchange): Promise<void> {
    const { request, response, path } = exchange;
    const contextValues = createContextValues();
    if (!URL.canParse(`http://${request.headers[":authority"] ?? request.headers.host}`)) {
      const refused = refusal(400, "Cannot read a request whose Host is none: HOST or HOST:PORT is allowed");
      await universalResponseToNodeResponse(discardRest(refused, request, response), response);
      return;
    }
    const call = universalRequestFromNodeRequest(request, response, undefined, contextValues);
    contextValues.set(holdAnswerKey, (sizeBytes) => holdAnswer(response, sizeBytes, answers, call.signal));
    const isJson = hasJson(call);
    const handler = (isJson ? jsonHandlers : handlers).get(path)!;
    admit(exchange, handler, contextValues);
    let answered = await handleWithinBudget(handler, call, exchange, messageJudge(handler.method, isJson, limits));
    if (!contextValues.get(reachedServiceKey)) answered = await asClientFault(answered, call, handler);
    if (request.method === "GET") answered = await revalidated(answered, call.header);
    await universalResponseToNodeResponse(discardRest(answered, request, response), response);
  }

  /** Before the body: who may not send it should not have it read. */
  function admit(exchange: Exchange, { method }: UniversalHandler, values: ContextValues): void {
    const scope = scopeOf(method);
    if (scope === undefined) return;
    try {
      values.set(grantKey, access.admit(exchange, scope, PROTOCOL));
    } catch (error) {
      values.set(refusalKey, error);
    }
  }

  /** When the first byte of an answer is there, the request has been used up: only reflection's streams go on, and theirs are small. */
  async function handleWithinBudget(
    handler: UniversalHandler,
    call: UniversalServerRequest,
    exchange: Exchange,
    judge: MessageJudge,
  ): Promise<UniversalServerResponse> {
    using reservation = await budget.take(0, call.signal);
    const refused = call.contextValues?.get(refusalKey);
    const body = refused
      ? refusedBody(refused, logger)
      : judgedMessages(meteredBody(exchange, reservation, logger), call.header, judge);
    // By it, connect-es would refuse in its own words, and allocate what is only announced.
    const header = new Headers(call.header);
    header.delete("content-length");
    return await handler({ ...call, header, body });
  }
}

/** A GET says in its query how its message is written; everything else by content type. */
function hasJson({ method, url, header }: UniversalServerRequest): boolean {
  if (method === "GET") return new URL(url).searchParams.get("encoding") === "json";
  return /^application\/.*json/i.test(header.get("content-type") ?? "");
}

function handlersByPath(
  repository: Repository,
  options: ContractOptions,
  isJson: boolean,
): Map<string, UniversalHandler> {
  const router = createConnectRouter();
  contractRoutes(repository, options, isJson)(router);
  return new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
}
