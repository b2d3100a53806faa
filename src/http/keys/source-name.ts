// Names for the senders behind a public key: the same address has the same name, and nobody can tell the address from it.

import { createHmac, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { SOURCE_DIGITS } from "../../model/source.ts";
import { plainAddress } from "./place.ts";

/** In the data folder. Without it every source is a new one. */
const SALT_FILE = "source-names.salt";
const SALT_BYTES = 32;

export function sourceNames(dataFolder: string): (keyId: string, remoteAddress: string) => string {
  let salt: Uint8Array | undefined;
  return (keyId, remoteAddress) => {
    salt ??= saltIn(join(dataFolder, SALT_FILE)); // once, and where there are public keys alone
    const digest = createHmac("sha256", salt)
      .update(`${keyId} ${networkOf(plainAddress(remoteAddress))}`)
      .digest("hex");
    return `${keyId}/${digest.slice(0, SOURCE_DIGITS)}`;
  };
}

function saltIn(path: string): Uint8Array {
  try {
    const salt = readFileSync(path);
    if (salt.length === SALT_BYTES) return salt;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const salt = randomBytes(SALT_BYTES);
  writeFileSync(path, salt, { mode: 0o600 });
  return salt;
}

/** Of IPv6 the network: a household has more addresses in it than there are of IPv4. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail = ""] = address.split("%", 1)[0]!.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const missing = Math.max(0, 8 - groups(head).length - groups(tail).length);
  const all = [...groups(head), ...Array<string>(missing).fill("0"), ...groups(tail)];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
