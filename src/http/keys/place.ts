// Where a request came in, and from where: what speaks for senders that can bring no key.

import { BlockList, isIPv6 } from "node:net";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import type { Exchange } from "../exchange.ts";

export type Place = (exchange: Exchange) => boolean;

const EVERY_ADDRESS = new Set(["0.0.0.0", "::", "*"]);

/** HOST:PORT as it is listened on; 0.0.0.0 and * are every address of this machine. Throws `invalid`. */
export function listenerPlace(text: string): Place {
  const [, host = "", port = ""] = /^(?:\[(?=.*\]))?(.+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (port === "" || Number(port) > 65_535) {
    throw new DomainError("invalid", `Cannot read the listener ${quote(text)}: it is HOST:PORT, as in 127.0.0.1:8080`);
  }
  return ({ request }) =>
    request.socket?.localPort === Number(port) &&
    (EVERY_ADDRESS.has(host) || plainAddress(request.socket.localAddress ?? "") === host);
}

/** An address, or a network as 10.0.0.0/8: of the connection's other end, which behind a proxy is the proxy. Throws `invalid`. */
export function rangePlace(text: string): Place {
  const [address = "", bits] = text.split("/");
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  const range = new BlockList();
  try {
    if (bits !== undefined && !/^\d{1,3}$/.test(bits)) throw new RangeError("the number of bits is none");
    range.addSubnet(address, bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits), family);
  } catch (cause) {
    throw new DomainError("invalid", `Cannot read the range ${quote(text)}: it is an address, or one as 10.0.0.0/8`, {
      cause,
    });
  }
  return ({ remoteAddress }) => {
    const remote = plainAddress(remoteAddress);
    return remote !== "" && range.check(remote, isIPv6(remote) ? "ipv6" : "ipv4");
  };
}

/** A socket that takes both families shows IPv4 addresses so. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
