// Profile ids and series hashes: deterministic, so that a retry is the same profile. Layout and vectors: docs/formats.md.

import { hash } from "node:crypto";
import type { Labels } from "./labels.ts";

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";
const ID_TEXT = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const NANOSECONDS_PER_MS = 1_000_000n;

export interface ProfileIdentity {
  tenant: string;
  service: string;
  type: string;
  labels: Labels;
  timeNs: bigint;
  /** SHA-256 of the inflated bytes. */
  digest: Uint8Array;
}

/** 48 bits of milliseconds, then 80 bits of SHA-256 over the identity: 16 bytes that sort by time. */
export function profileId(identity: ProfileIdentity): Uint8Array {
  const time = Buffer.alloc(8);
  time.writeBigInt64BE(identity.timeNs);
  const id = new Uint8Array(16);
  Buffer.from(id.buffer).writeUIntBE(Number(identity.timeNs / NANOSECONDS_PER_MS), 0, 6);
  id.set(
    shortHash([
      identity.tenant,
      identity.service,
      identity.type,
      ...labelTexts(identity.labels),
      time,
      identity.digest,
    ]),
    6,
  );
  return id;
}

/** What makes a label set one series of its service and type: 10 bytes. */
export function labelsHash(labels: Labels): Uint8Array {
  return shortHash(labelTexts(labels));
}

function labelTexts(labels: Labels): string[] {
  return labels.flatMap(({ name, value }) => [name, value]);
}

/** The first 80 bits of SHA-256 over the parts, each behind its 4-byte big-endian length. */
function shortHash(parts: readonly (string | Uint8Array)[]): Uint8Array {
  const sizes = parts.map((part) => (typeof part === "string" ? Buffer.byteLength(part) : part.length));
  const all = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + 4 + size, 0));
  let at = 0;
  for (const [nth, part] of parts.entries()) {
    at = all.writeUInt32BE(sizes[nth]!, at);
    if (typeof part === "string") all.write(part, at);
    else all.set(part, at);
    at += sizes[nth]!;
  }
  return hash("sha256", all, "buffer").subarray(0, 10);
}

/** 26 characters of lower-case Crockford base32, the ULID layout. */
export function formatProfileId(id: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 2; // 130 bits of text hold 128 of id: two zero bits lead
  for (const byte of id) {
    bits = ((bits << 8) | byte) & 0x1fff;
    held += 8;
    while (held >= 5) {
      held -= 5;
      text += CROCKFORD[(bits >> held) & 31];
    }
  }
  return text;
}

/** Undefined when `text` is not an id of ours; upper case is accepted. */
export function parseProfileId(text: string): Uint8Array | undefined {
  const lower = text.toLowerCase();
  if (!ID_TEXT.test(lower)) return undefined;
  const id = new Uint8Array(16);
  let bits = 0;
  let held = -2;
  let at = 0;
  for (const character of lower) {
    bits = ((bits << 5) | CROCKFORD.indexOf(character)) & 0x1fff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      id[at++] = (bits >> held) & 0xff;
    }
  }
  return id;
}
