// `profusion key revoke`: the key's line goes out of the file, which the server notices, and then, if asked for, all that came by it.

import { readFile, realpath, stat } from "node:fs/promises";
import { PLACES } from "../../http/keys/key-file.ts";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import type { ClientOptions } from "../client-options.ts";
import { type Connection, connect } from "../connection.ts";
import { countText } from "../count-text.ts";
import { answer, answerJson, note, type OutputOptions } from "../output.ts";
import { writeWhole } from "../write-whole.ts";

interface RevokeOptions extends ClientOptions, OutputOptions {
  file?: string;
  purge?: true;
  yes?: true;
}

const PAGE_MAX = 1000;
const DELETED_AT_ONCE = 16;

export async function revokeKey(id: string, options: RevokeOptions): Promise<void> {
  const { file, purge } = options;
  if (file === undefined && !purge) {
    throw new DomainError("invalid", "Cannot revoke a key without its file: name it with --file");
  }
  if (file !== undefined) await takeOut(id, file, options);
  const deletedCount = purge ? await deleteSent(id, options) : 0;
  if (options.json) return answerJson({ id, deletedCount });
  if (purge && !options.quiet) answer(`deleted ${countText(deletedCount, "profile")}`);
}

async function takeOut(id: string, named: string, options: RevokeOptions): Promise<void> {
  if (PLACES.has(id) || id === "admit") {
    throw new DomainError("invalid", `Cannot revoke ${quote(id)}: it is no key; take its line out of the file by hand`);
  }
  // Where the name is a link, the file that the server reads is the one behind it.
  const file = await realpath(named).catch(() => named);
  const [text, { mode }] = await Promise.all([readFile(file, "utf8"), stat(file)]).catch((cause: Error) => {
    throw new DomainError("invalid", `Cannot read the keys in ${file}: ${cause.message}`, { cause });
  });
  const lines = text.split("\n");
  const kept = lines.filter((line) => line.trim().split(/\s/, 1)[0] !== id);
  if (kept.length < lines.length) {
    await writeWhole(kept.join("\n"), file, mode & 0o777);
    note(`${file} has no key ${quote(id)} any more: the server notices within a second or two`, options);
  } else if (!options.purge) {
    throw new DomainError("not-found", `Cannot revoke ${quote(id)}: ${file} has no key with this id`);
  }
}

/** Until a look finds none: what was under way while the key was taken out is deleted too. */
async function deleteSent(id: string, options: RevokeOptions): Promise<number> {
  const connection = await connect(options);
  let deleted = 0;
  for (let ids = await sentBy(id, connection); ids.length > 0; ids = await sentBy(id, connection)) {
    if (deleted === 0) await mayDelete(ids.length, id, options);
    for (let at = 0; at < ids.length; at += DELETED_AT_ONCE) {
      const slice = ids.slice(at, at + DELETED_AT_ONCE);
      deleted += (await Promise.all(slice.map((each) => deleteOne(each, connection)))).filter(Boolean).length;
    }
  }
  return deleted;
}

/** Of a public key the submitters are its sources, `<id>/…`. */
async function sentBy(id: string, { profiles }: Connection): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = "";
  do {
    const page = await profiles.listProfiles({ pageSize: PAGE_MAX, pageToken });
    const own = page.profiles.filter(({ submitter }) => submitter === id || submitter.startsWith(`${id}/`));
    ids.push(...own.map((profile) => profile.id));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return ids;
}

/** False where somebody else was faster. */
async function deleteOne(id: string, { profiles }: Connection): Promise<boolean> {
  try {
    await profiles.deleteProfile({ id });
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.kind === "not-found") return false;
    throw error;
  }
}

/** Throws where nobody can be asked, `cancelled` where the answer is no. */
async function mayDelete(count: number, id: string, { yes }: RevokeOptions): Promise<void> {
  if (yes) return;
  const { confirm } = await import("../confirm.ts");
  if (await confirm(`Delete ${countText(count, "profile")} that came by ${id}?`)) return;
  throw new DomainError("cancelled", "nothing was deleted");
}
