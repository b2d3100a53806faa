// A bucket of Google Cloud Storage as a store, over its JSON API. Who asks is told by an access token or by Google's default credentials.

import { type AuthClient, GoogleAuth, OAuth2Client, PassThroughClient } from "google-auth-library";
import { DomainError, type ErrorKind } from "../../model/errors.ts";
import { tooLarge } from "../push/read-within.ts";
import { checkEndpoint, parseBucketUrl } from "./bucket-url.ts";
import { kindOfStatus } from "./status-kind.ts";
import type { Store, StoredObject } from "./store.ts";

const ENDPOINT = "https://storage.googleapis.com";
const SCOPE = "https://www.googleapis.com/auth/devstorage.read_only";
const RETRIES = 4;
const OBJECTS_A_PAGE = 1000;

interface Listing {
  items?: { name: string; size: string; updated: string }[];
  nextPageToken?: string;
}

export interface GcsOptions {
  endpoint?: string;
}

export async function openGcs(text: string, options: GcsOptions, env = process.env): Promise<Store> {
  const { url, bucket, prefix } = parseBucketUrl(text, "gs");
  checkEndpoint(options.endpoint);
  const emulator = options.endpoint === undefined ? env.STORAGE_EMULATOR_HOST : undefined;
  const said = emulator && !/^https?:/.test(emulator) ? `http://${emulator}` : options.endpoint || emulator;
  const endpoint = (said || ENDPOINT).replace(/\/+$/, "");
  const objects = `${endpoint}/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  const client = await clientOf(emulator, env).catch((error) => {
    throw storeFailure(error, url, "unauthenticated");
  });
  const where = said ? `${url} at ${endpoint}` : url;

  async function ask<Answer>(path: string, params: Record<string, string>, signal: AbortSignal, isJson: boolean) {
    try {
      const { data } = await client.request<Answer>({
        url: `${objects}${path}`,
        params,
        signal,
        responseType: isJson ? "json" : "arraybuffer",
        retryConfig: { retry: RETRIES },
      });
      return data;
    } catch (error) {
      throw storeFailure(error, where);
    }
  }

  async function* list(signal: AbortSignal): AsyncGenerator<StoredObject> {
    const maxResults = `${OBJECTS_A_PAGE}`;
    const fields = "items(name,size,updated),nextPageToken";
    let pageToken: string | undefined;
    do {
      const page: Listing = await ask(
        "",
        { prefix, fields, maxResults, ...(pageToken && { pageToken }) },
        signal,
        true,
      );
      for (const { name, size, updated } of page.items ?? []) {
        if (!name.endsWith("/")) yield { name, sizeBytes: Number(size), changedMs: Date.parse(updated) };
      }
      pageToken = page.nextPageToken;
    } while (pageToken);
  }

  return {
    url: where,
    prefix,
    list,
    async read({ name, sizeBytes }, maxBytes, signal) {
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      const data = await ask<ArrayBuffer>(`/${encodeURIComponent(name)}`, { alt: "media" }, signal, false);
      return { bytes: new Uint8Array(data) };
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** An emulator asks for none. */
async function clientOf(emulator: string | undefined, env: NodeJS.ProcessEnv): Promise<AuthClient> {
  if (emulator) return new PassThroughClient();
  const token = env.GOOGLE_OAUTH_ACCESS_TOKEN;
  // A bucket is asked without a project, which would be looked up.
  if (!token) return await new GoogleAuth({ scopes: [SCOPE], projectId: "none" }).getClient();
  const client = new OAuth2Client();
  client.setCredentials({ access_token: token });
  return client;
}

const ADVICE: Partial<Record<ErrorKind, string>> = {
  unauthenticated:
    ". Name a file of credentials in GOOGLE_APPLICATION_CREDENTIALS, or a token in GOOGLE_OAUTH_ACCESS_TOKEN",
  forbidden: ". It takes storage.objects.list and storage.objects.get",
};

function storeFailure(error: unknown, url: string, known?: ErrorKind): DomainError {
  const { message, response } = error as Error & { response?: { status?: number } };
  const kind = known ?? kindOfStatus(response?.status);
  return new DomainError(kind, `Cannot read ${url}: ${message}${ADVICE[kind] ?? ""}`, { cause: error });
}
