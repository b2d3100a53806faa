// The names of the certificate that a client brought, where an authority of clients has signed it. What a name allows, key-file.ts says.

import type { PeerCertificate, TLSSocket } from "node:tls";
import type { Exchange } from "../exchange.ts";

/** Of the alternative names, those that tell who it is. An address is none: who has it today may not have it tomorrow. */
const NAMED = /^(?:DNS|URI|email):(.+)$/;

/** Empty where there is no certificate, or one that no authority of ours has signed. */
export function certificateNames({ request }: Exchange): readonly string[] {
  const socket = request.socket as Partial<TLSSocket> | undefined;
  return socket?.authorized === true ? namesOf(socket.getPeerCertificate!()) : [];
}

/** The common name first. What Node shows in quotes has commas or quotes in it, and could pass for two names: it is none. */
export function namesOf({
  subject,
  subjectaltname = "",
}: Pick<PeerCertificate, "subject" | "subjectaltname">): string[] {
  const alternatives = subjectaltname.includes('"') ? [] : subjectaltname.split(", ");
  const names = alternatives.flatMap((entry) => NAMED.exec(entry)?.[1] ?? []);
  // Of several common names none is the one; Node's types know of one alone.
  const common: unknown = subject?.CN;
  return typeof common === "string" ? [common, ...names] : names;
}
