// The certificate and key that tests serve TLS with: of 127.0.0.1 and localhost, made by test/testdata/tls/make.sh. No secret.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const TLS_FILES = {
  certificate: fileURLToPath(new URL("../testdata/tls/test-certificate.pem", import.meta.url)),
  key: fileURLToPath(new URL("../testdata/tls/test-key.pem", import.meta.url)),
};

/** Its own authority. */
export const CERTIFICATE = readFileSync(TLS_FILES.certificate, "utf8");
