// The first bytes of a connection → its protocol. Cleartext HTTP/2 opens with a preface that begins "PRI"; no HTTP/1 method does.

import type { Socket } from "node:net";
import type { Limits } from "../model/limits.ts";

export type WireProtocol = "http1" | "http2" | "tls";

const PREFACE = "PRI";
const TLS_HANDSHAKE = 0x16;

/** Undefined while more bytes are needed: a preface may come in pieces, split after "P" or "PR". */
export function protocolOf(first: Uint8Array): WireProtocol | undefined {
  if (first.length === 0) return undefined;
  if (first[0] === TLS_HANDSHAKE) return "tls";
  const known = Math.min(first.length, PREFACE.length);
  for (let at = 0; at < known; at++) if (first[at] !== PREFACE.charCodeAt(at)) return "http1";
  return known === PREFACE.length ? "http2" : undefined;
}

/** Sockets whose protocol is not known yet: few, and for a short time. */
export class Sniffer {
  readonly #undecided = new Set<Socket>();
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Calls `decided` at most once, with every byte back in the socket. A silent socket is destroyed after `sniffTimeoutMs`. */
  watch(socket: Socket, decided: (protocol: WireProtocol) => void): void {
    // A client with something to say is undecided for a moment only, so the oldest is the one that is stalling.
    if (this.#undecided.size >= this.#limits.undecidedSockets) {
      const [oldest] = this.#undecided;
      oldest?.destroy();
    }
    this.#undecided.add(socket);
    let first: Uint8Array = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(), this.#limits.sniffTimeoutMs);
    const forget = () => {
      clearTimeout(timer);
      this.#undecided.delete(socket);
      socket.off("readable", read);
      socket.off("end", leave);
      socket.off("close", forget);
    };
    const leave = () => socket.destroy();
    const read = () => {
      const chunk = socket.read() as Uint8Array | null;
      if (chunk === null) return;
      first = first.length === 0 ? chunk : Buffer.concat([first, chunk]);
      const protocol = protocolOf(first);
      if (protocol === undefined) return;
      forget();
      socket.unshift(first);
      decided(protocol);
    };
    socket.on("readable", read);
    socket.on("end", leave);
    socket.on("close", forget);
  }

  destroyAll(): void {
    for (const socket of this.#undecided) socket.destroy();
  }
}
