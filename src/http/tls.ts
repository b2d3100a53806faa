// TLS on sockets that another server accepted: the certificate and its key, handshakes, ALPN. What is spoken inside is the listener's.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { createSecureContext, createServer, type TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { DomainError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { quote } from "../model/text.ts";

const MIN_VERSION = "TLSv1.2";

/** Paths of PEM files. */
export interface TlsFiles {
  /** The server's own certificate comes first, then the chain to its authority. */
  certificate: string;
  /** Without a passphrase. */
  key: string;
  /** Authorities of clients' certificates. Absent: clients are asked for none. */
  clientAuthority?: string | undefined;
}

/** What the files hold, as PEM; read and checked by readTlsCredentials(). */
export interface TlsCredentials {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

export interface TlsServer {
  /** A handshake that fails, or takes longer than limits.headersTimeoutMs, ends its own socket and nothing else. */
  serve(socket: Socket): void;
  /** Handshakes from now on have these; connections that are open go on. */
  setCredentials(credentials: TlsCredentials): void;
  /** Handshakes under way end now; sockets that were handed on live. */
  destroyHandshakes(): void;
}

/** Throws `invalid` naming the file and the reason: unreadable, not PEM, or a key that does not fit the certificate. */
export async function readTlsCredentials(files: TlsFiles): Promise<TlsCredentials> {
  const [cert, certificate] = await readPem(files.certificate, "certificate", (pem) => {
    createSecureContext({ cert: pem }); // the whole chain; X509Certificate reads the first of it
    return new X509Certificate(pem);
  });
  const [key, privateKey] = await readPem(files.key, "key", createPrivateKey);
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new DomainError(
      "invalid",
      `Cannot use the TLS key ${quote(files.key)}: it does not fit the first certificate in ${quote(files.certificate)}`,
    );
  }
  if (files.clientAuthority === undefined) return { cert, key };
  const [ca] = await readPem(files.clientAuthority, "authority of clients", (pem) => new X509Certificate(pem));
  return { cert, key, ca };
}

/**
 * TLS 1.2 or newer. Where there is an authority of clients, each may bring a certificate and need not: who brought one of it has a socket
 * that is `authorized`. `secured` gets each socket whose handshake is complete; its `alpnProtocol` is h2, http/1.1 or
 * false for none.
 */
export function createTlsServer(
  credentials: TlsCredentials,
  limits: Limits,
  logger: Logger,
  secured: (socket: TLSSocket) => void,
): TlsServer {
  /** By peer, since Node does not tell which socket a TLSSocket wraps. */
  const handshakes = new Map<string, { socket: Socket; timer: NodeJS.Timeout }>();
  const forget = (peer: string) => {
    clearTimeout(handshakes.get(peer)?.timer);
    handshakes.delete(peer);
  };
  const server = createServer({
    ...credentials,
    minVersion: MIN_VERSION,
    ALPNProtocols: ["h2", "http/1.1"],
    requestCert: credentials.ca !== undefined,
    rejectUnauthorized: false,
  });
  server.on("secureConnection", (socket) => {
    forget(peerOf(socket));
    // A connection that breaks has told nobody anything; the protocols' own listeners see it too.
    socket.on("error", () => {});
    secured(socket);
  });
  server.on("tlsClientError", (error, socket) => {
    logger.debug({ remote: socket.remoteAddress, reason: error.message }, "a TLS handshake failed");
  });
  return {
    serve(socket) {
      const peer = peerOf(socket);
      // Node's own handshake timeout is one of idleness only.
      const timer = setTimeout(() => socket.destroy(), limits.headersTimeoutMs);
      handshakes.set(peer, { socket, timer });
      socket.once("close", () => forget(peer));
      // A peer that closes is gone, in the midst of its handshake too; node:https does the same.
      socket.allowHalfOpen = false;
      server.emit("connection", socket);
    },
    setCredentials: (renewed) => server.setSecureContext({ ...renewed, minVersion: MIN_VERSION }),
    destroyHandshakes() {
      for (const { socket } of handshakes.values()) socket.destroy();
    },
  };
}

function peerOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`;
}

async function readPem<Parsed>(
  file: string,
  what: "certificate" | "key" | "authority of clients",
  parse: (pem: string) => Parsed,
): Promise<[pem: string, parsed: Parsed]> {
  try {
    const pem = await readFile(file, "utf8");
    return [pem, parse(pem)];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const allowed = what === "key" ? "a PEM file without a passphrase" : "a PEM file";
    throw new DomainError("invalid", `Cannot use the TLS ${what} ${quote(file)}: ${reason}; it must be ${allowed}`, {
      cause,
    });
  }
}
