// The certificates and keys that tests serve TLS with: of 127.0.0.1 and localhost, made by test/testdata/tls/make.sh. No secrets.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = (name: string) => fileURLToPath(new URL(`../testdata/tls/${name}.pem`, import.meta.url));

export const TLS_FILES = { certificate: file("test-certificate"), key: file("test-key") };

/** Another pair of the same names. */
export const RENEWED_TLS_FILES = { certificate: file("renewed-certificate"), key: file("renewed-key") };

/** Its own authority. */
export const CERTIFICATE = readFileSync(TLS_FILES.certificate, "utf8");

/** Of a client that is named `test agent`, agent.example and spiffe://example/agent, and who has signed that. */
export const CLIENT_TLS_FILES = { certificate: file("client-certificate"), key: file("client-key") };
export const CLIENT_AUTHORITY = file("client-authority");
