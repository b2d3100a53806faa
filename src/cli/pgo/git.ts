// `profusion pgo git`: the PGO profile and its manifest as a commit, where enough has changed since the last one.

import { readdir, readFile, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import type { Release } from "../../../gen/profusion/v1/pgo_service_pb.ts";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";
import { NS_PER_MS } from "../../model/time.ts";
import type { ClientOptions } from "../client-options.ts";
import { type Connection, connect } from "../connection.ts";
import { parseSaidDuration } from "../local-time.ts";
import { answer, answerJson, type OutputOptions } from "../output.ts";
import { writeWhole } from "../write-whole.ts";
import { fetchPgoFile } from "./download.ts";
import { cloneBranch } from "./git-clone.ts";
import { type Bounds, type Committed, type Decision, decide } from "./hysteresis.ts";
import { checkReleaseAlone, type QuestionOptions, questionOf, type Required } from "./question.ts";
import { requiredVerdict, verdictWord } from "./verdict-word.ts";

interface GitOptions extends ClientOptions, QuestionOptions, OutputOptions {
  repository: string;
  branch: string;
  main: string;
  release?: string;
  require?: Required;
  message?: string;
  maxDrift: string;
  every: string;
  dryRun?: true;
}

/** What `go build` looks for beside a main package; the manifest has its name. */
const PROFILE = "default.pgo";
const MANIFEST = `${PROFILE}.json`;
/** As long as a merge may take on the server. */
const TIMEOUT_MS = 60_000;

export async function commitProfile(options: GitOptions): Promise<void> {
  const { repository, branch, require } = options;
  const bounds = boundsOf(options);
  if (options.release !== undefined) checkReleaseAlone(options);
  const connection = await connect(options);
  const candidate = await fetchPgoFile(connection, options, { require, timeoutMs: TIMEOUT_MS });
  await using clone = await cloneBranch(repository, branch);
  const folder = await mainPackage(clone.folder, options.main);
  const decision = decide(await committedIn(folder), candidate.bytes, bounds, Date.now());
  if (!decision.commits || options.dryRun) {
    tell(options, decision);
    return;
  }
  const release = await releaseOf(connection, options);
  const published = await fetchPgoFile(
    connection,
    { service: release.service, release: release.name },
    { timeoutMs: TIMEOUT_MS },
  );
  const { service, name } = release;
  const { manifestJson } = await connection.pgo.getRelease({ service, name, withManifest: true });
  const files = { [PROFILE]: published.bytes, [MANIFEST]: manifestJson };
  for (const [file, content] of Object.entries(files)) await writeWhole(content, join(folder, file));
  const message = options.message ?? `pgo: ${service} ${name}, ${verdictWord(release.verdict)}: ${decision.reason}`;
  const paths = Object.keys(files).map((file) => join(folder, file));
  tell(options, decision, release, await clone.push(paths, message));
}

/** The one that was named, else what is published now; the same content on the same day is the same release. */
async function releaseOf({ pgo, server }: Connection, options: GitOptions): Promise<Release> {
  const { service, release: name, require } = options;
  const { release } =
    name === undefined
      ? await pgo.publishRelease({ question: questionOf(options), require: requiredVerdict(require) })
      : await pgo.getRelease({ service, name });
  if (release !== undefined) return release;
  throw new DomainError("unavailable", `${server} answered without a release`);
}

function boundsOf({ maxDrift, every }: GitOptions): Bounds {
  const share = Number(maxDrift);
  if (maxDrift.trim() === "" || !(share >= 0 && share <= 1)) {
    throw new DomainError(
      "invalid",
      `Cannot use --max-drift ${quote(maxDrift)}: it is a share from 0 to 1, such as 0.2`,
    );
  }
  return { maxDrift: share, everyMs: Number(parseSaidDuration(every) / NS_PER_MS) };
}

/** Anywhere else `go build` would never look at the file. Throws `invalid`. */
async function mainPackage(clone: string, main: string): Promise<string> {
  const refuse = (why: string) => new DomainError("invalid", `Cannot commit to --main ${quote(main)}: ${why}`);
  const folder = await realpath(join(clone, main)).catch(() => undefined);
  if (folder === undefined) throw refuse("the repository has no such folder");
  const root = await realpath(clone);
  if (folder !== root && !folder.startsWith(root + sep)) throw refuse("it leads out of the repository");
  const sources = (await readdir(folder, { withFileTypes: true })).filter(
    (each) => each.name.endsWith(".go") && !each.isDirectory(),
  );
  const texts = await Promise.all(sources.map(({ name }) => readFile(join(folder, name), "utf8")));
  if (!texts.some((source) => /^package main\b/m.test(source))) throw refuse("there is no package main in it");
  return folder;
}

async function committedIn(folder: string): Promise<Committed | undefined> {
  // What cannot be read is none yet: committing over it tells why it cannot be.
  const read = (name: string) => readFile(join(folder, name)).catch(() => undefined);
  const [profile, manifest] = await Promise.all([read(PROFILE), read(MANIFEST)]);
  return profile && { profile, publishedMs: publishedMsOf(manifest?.toString("utf8") ?? "") };
}

function publishedMsOf(manifest: string): number | undefined {
  try {
    const { createTime } = JSON.parse(manifest) as { createTime?: unknown };
    const ms = Date.parse(String(createTime));
    return Number.isNaN(ms) ? undefined : ms;
  } catch {
    return undefined;
  }
}

function tell(options: GitOptions, { reason, drift, commits }: Decision, release?: Release, commit?: string): void {
  const { branch, json, quiet } = options;
  if (json) {
    answerJson({ commits, reason, drift: drift ?? null, release: release?.name ?? null, commit: commit ?? null });
  } else if (quiet) {
    // The exit code tells.
  } else if (commit !== undefined) {
    answer(`pushed ${commit} to ${branch}: ${release?.service}@${release?.name}, since ${reason}`);
  } else answer(commits ? `would publish, commit and push: ${reason}` : `nothing to push: ${reason}`);
}
