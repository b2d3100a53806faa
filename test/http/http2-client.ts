// One HTTP/2 request with prior knowledge, as gRPC clients speak it, or over TLS.

import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";

export interface Http2Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Http2Client extends Disposable {
  session: ClientHttp2Session;
  request(headers: Record<string, string>, body?: Uint8Array): Promise<Http2Answer>;
}

/** `ca` is whom an https URL's certificate is to be from. */
export function openHttp2(url: string, ca?: string): Http2Client {
  // Room for the longest header the server takes; Node's client refuses more than 64 KiB by default.
  const session = connect(url, { maxSendHeaderBlockLength: 4 * 1024 * 1024, ...(ca && { ca }) });
  session.on("error", () => {});
  return {
    session,
    request(headers, body) {
      const stream = session.request(
        { ":method": body ? "POST" : "GET", ...headers },
        { endStream: body === undefined },
      );
      const { promise, resolve, reject } = Promise.withResolvers<Http2Answer>();
      const chunks: Buffer[] = [];
      let answer: IncomingHttpHeaders = {};
      stream.on("response", (received) => {
        answer = received;
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", reject);
      const settle = () => {
        const status = answer[":status"];
        if (status === undefined) reject(new Error("the stream closed without an answer"));
        else resolve({ status: Number(status), headers: answer, body: Buffer.concat(chunks) });
      };
      // An answer may end before the request does; Node's client then never closes the stream by itself.
      stream.on("end", () => {
        settle();
        stream.close();
      });
      stream.on("close", settle);
      if (body) stream.end(body);
      return promise;
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}
