// A way to the server that can fail: an HTTP proxy that hands requests on, or not, as the test decides.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** pass: handed on. drop: the connection breaks before. lose: it breaks when the server has answered. busy: 503, as a proxy says it. */
export type Fate = "pass" | "drop" | "lose" | "busy";

export interface ProxyForTest extends AsyncDisposable {
  url: string;
  /** The bodies that came, and what became of them, in order. */
  requests: { path: string; body: Buffer; fate: Fate }[];
}

/** `decide` is asked for each request, numbered from 0, when all of it has come; `target` is where the server is then. */
export async function runProxy(
  target: () => string,
  decide: (nth: number) => Fate | Promise<Fate>,
): Promise<ProxyForTest> {
  const requests: ProxyForTest["requests"] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const entry = { path: request.url!, body, fate: "drop" as Fate };
    const nth = requests.push(entry) - 1;
    entry.fate = await decide(nth);
    if (entry.fate === "busy") response.writeHead(503).end();
    else if (entry.fate === "drop") request.socket.destroy();
    // Where the server is gone, so is the way to it.
    else await handOn(target(), request, body, response, entry.fate === "pass").catch(() => request.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function handOn(
  target: string,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  withAnswer: boolean,
): Promise<void> {
  const headers = new Headers({ "content-type": request.headers["content-type"]! });
  const answer = await fetch(`${target}${request.url}`, {
    method: request.method!,
    headers,
    body: new Uint8Array(body),
  });
  const answered = Buffer.from(await answer.arrayBuffer());
  if (!withAnswer) return void request.socket.destroy();
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type")! }).end(answered);
}
