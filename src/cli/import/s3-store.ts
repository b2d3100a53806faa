// A bucket of S3, or of what speaks like it, as a store. Credentials and region are found as the AWS command line finds them.

import { GetObjectCommand, paginateListObjectsV2, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { DomainError, type ErrorKind } from "../../model/errors.ts";
import { tooLarge } from "../push/read-within.ts";
import { checkEndpoint, parseBucketUrl } from "./bucket-url.ts";
import { kindOfStatus } from "./status-kind.ts";
import type { Store, StoredObject } from "./store.ts";

/** Of AWS, and where nothing else is said the one that other servers take. */
const DEFAULT_REGION = "us-east-1";
const ATTEMPTS = 5;

export interface S3Options {
  endpoint?: string;
  region?: string;
}

export function openS3(text: string, { endpoint, region }: S3Options, env = process.env): Store {
  const { url, bucket, prefix } = parseBucketUrl(text, "s3");
  checkEndpoint(endpoint);
  const said = endpoint ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  const where = region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? (said ? DEFAULT_REGION : undefined);
  const client = new S3Client({
    maxAttempts: ATTEMPTS,
    followRegionRedirects: true,
    // A bucket's name is no host of an endpoint of one's own.
    ...(said && { endpoint: said, forcePathStyle: true }),
    ...(where && { region: where }),
  });
  const shown = said ? `${url} at ${said}` : url;
  const failed = (error: unknown) => storeFailure(error, shown);

  async function* list(signal: AbortSignal): AsyncGenerator<StoredObject> {
    try {
      const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }, { abortSignal: signal });
      for await (const { Contents = [] } of pages) {
        for (const { Key = "", Size = 0, LastModified } of Contents) {
          if (!Key.endsWith("/")) yield { name: Key, sizeBytes: Size, changedMs: LastModified?.getTime() ?? 0 };
        }
      }
    } catch (error) {
      throw failed(error);
    }
  }

  return {
    url: shown,
    prefix,
    list,
    async read({ name, sizeBytes }, maxBytes, signal) {
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      try {
        const command = new GetObjectCommand({ Bucket: bucket, Key: name });
        const { Body, Metadata } = await client.send(command, { abortSignal: signal });
        return { bytes: await Body!.transformToByteArray(), ...(Metadata?.service && { service: Metadata.service }) };
      } catch (error) {
        throw failed(error);
      }
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
}

function storeFailure(error: unknown, url: string): DomainError {
  const { name, message } = error as Error;
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  const kind = name === "CredentialsProviderError" ? "unauthenticated" : kindOfStatus(status);
  const advice = ADVICE[kind] ?? "";
  return new DomainError(kind, `Cannot read ${url}: ${name}: ${message}${advice}`, { cause: error });
}

const ADVICE: Partial<Record<ErrorKind, string>> = {
  unauthenticated: ". Name a key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in AWS_PROFILE",
  forbidden: ". The key needs s3:ListBucket and s3:GetObject",
};
