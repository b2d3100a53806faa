// A Redis as a store: the string values of the keys that match.

import { createClient, RESP_TYPES } from "@redis/client";
import { DomainError, type ErrorKind } from "../../model/errors.ts";
import { tooLarge } from "../push/read-within.ts";
import { withoutSecrets } from "../target.ts";
import type { Store, StoredObject } from "./store.ts";

const DEFAULT_URL = "redis://127.0.0.1:6379";
const DEFAULT_MATCH = "*:*:*";
const CONNECT_MS = 10_000;
const RECONNECTS = 6;
/** Of one SCAN: what Redis does without others waiting for it. */
const KEYS_AT_A_TIME = 500;

export async function openRedis(said: string | undefined, match = DEFAULT_MATCH, env = process.env): Promise<Store> {
  const url = checkedUrl(said, env.REDIS_URL || DEFAULT_URL);
  const shown = withoutSecrets(url);
  const failed = (error: unknown) => storeFailure(error, shown);
  const client = createClient({
    url,
    RESP: 2, // which every version speaks
    socket: {
      connectTimeout: CONNECT_MS,
      reconnectStrategy: (retries, cause) => (retries < RECONNECTS && wasThere ? 2 ** retries * 100 : cause),
    },
  });
  let wasThere = false;
  // Told where a command fails.
  client.on("error", () => {});
  client.on("ready", () => {
    wasThere = true;
  });
  await client.connect().catch((error) => {
    throw failed(error);
  });
  const bytesClient = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });

  async function* list(signal: AbortSignal): AsyncGenerator<StoredObject> {
    // SCAN may tell a key twice.
    const seen = new Set<string>();
    try {
      for await (const keys of client.scanIterator({ MATCH: match, COUNT: KEYS_AT_A_TIME })) {
        signal.throwIfAborted();
        for (const name of keys.filter((key) => !seen.has(key))) {
          seen.add(name);
          yield { name, sizeBytes: 0, changedMs: 0 };
        }
      }
    } catch (error) {
      throw failed(error);
    }
  }

  return {
    url: `${shown} ${match}`,
    prefix: "",
    list,
    async read({ name }, maxBytes) {
      const bytes = await bytesClient.get(name).catch((error) => {
        throw failed(error);
      });
      if (bytes === null) throw new DomainError("not-found", "It is gone: it expired, or was deleted meanwhile");
      if (bytes.length > maxBytes) throw tooLarge(maxBytes);
      return { bytes };
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
}

/** A password in an argument is seen by everybody who lists processes. */
function checkedUrl(said: string | undefined, otherwise: string): string {
  const url = said ?? otherwise;
  const fault = (rule: string) => new DomainError("invalid", `Cannot use ${withoutSecrets(url)}: ${rule}`);
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url))
    throw fault(`write a URL such as ${DEFAULT_URL}, or rediss:// for TLS`);
  if (said !== undefined && new URL(said).password !== "")
    throw fault("leave the password out, and put the URL into REDIS_URL");
  return url;
}

const KINDS: Readonly<Record<string, ErrorKind>> = {
  NOAUTH: "unauthenticated",
  NOPERM: "forbidden",
  WRONGPASS: "unauthenticated",
  WRONGTYPE: "invalid",
};

function storeFailure(error: unknown, url: string): DomainError {
  const { message, code } = error as NodeJS.ErrnoException;
  const kind = KINDS[/^[A-Z]+/.exec(message)?.[0] ?? ""] ?? "unavailable";
  // A host of several addresses fails with an error for each, and no message.
  return new DomainError(kind, `Cannot read ${url}: ${message || code}`, { cause: error });
}
