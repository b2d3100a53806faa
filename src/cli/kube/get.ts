// `profusion kube get`: what the server has of pods and services, and with a folder the profiles themselves.

import { join } from "node:path";
import type { ClientOptions } from "../client-options.ts";
import { connect } from "../connection.ts";
import { download } from "../get.ts";
import type { LimitOptions } from "../limit-option.ts";
import { limitOf } from "../limit-option.ts";
import { list, pagesOf } from "../list.ts";
import { answerExactly, answerJson, note, type OutputOptions } from "../output.ts";
import { intervalOf, type SelectionOptions, selectorText, windowOf } from "../selection-options.ts";
import { makeOutputFolder } from "./output-folder.ts";

export interface GetProfilesOptions extends SelectionOptions, ClientOptions, OutputOptions, LimitOptions {
  pod?: string;
  namespace?: string;
  outputDir?: string;
}

export async function getProfiles(options: GetProfilesOptions): Promise<void> {
  const { pod, namespace, outputDir, label } = options;
  const labels = [
    ...label,
    ...(pod === undefined ? [] : [{ name: "pod", value: pod }]),
    ...(namespace === undefined ? [] : [{ name: "namespace", value: namespace }]),
  ];
  const asked = { ...options, label: labels };
  if (outputDir === undefined) return await list(undefined, asked);
  await fetchAll(asked, outputDir);
}

/** Of a file; the id behind it tells those apart that begin alike. */
const NAME_CHARACTERS = 60;

/** Each under its type, its pod or else its service, and its id, which begins with its time. */
async function fetchAll(options: GetProfilesOptions, folder: string): Promise<void> {
  const connection = await connect(options);
  const window = windowOf(options)!;
  const selector = (await selectorText(undefined, options)) ?? "{}";
  const files: string[] = [];
  makeOutputFolder(folder);
  for await (const { profiles } of pagesOf(connection, { selector, interval: intervalOf(window) }, limitOf(options))) {
    for (const { id, profileType, service, labels } of profiles) {
      const name = labels.find(({ name }) => name === "pod")?.value ?? service;
      const file = join(
        folder,
        `profile-${profileType}-${name.replaceAll("/", "__").slice(0, NAME_CHARACTERS)}-${id}.pb.gz`,
      );
      await download(connection, id, file);
      files.push(file);
      if (!options.json) answerExactly([file]);
    }
  }
  if (options.json) answerJson({ files });
  if (files.length === 0) note("no profile matches", options);
}
