// A branch of somebody's repository in a folder of our own, by plain git: cloned, committed to, pushed. Nothing is ever forced.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DomainError } from "../../model/errors.ts";
import { quote } from "../../model/text.ts";

export interface GitClone extends AsyncDisposable {
  folder: string;
  /** Commits these files, named from the folder, and pushes; answers the commit. Throws `conflict` where that is rejected. */
  push(files: readonly string[], message: string): Promise<string>;
}

/** Where nobody says who commits, as in most containers. */
const COMMITTER = ["-c", "user.name=Profusion", "-c", "user.email=profusion@localhost"];

/** Nobody is there to be asked for passwords, messages are looked at below, and a hook that runs this means another repository. */
const ENVIRONMENT = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_SSH_COMMAND: "ssh -o BatchMode=yes",
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE)$/.test(name))),
  LC_ALL: "C",
};

/** The newest commit of the branch, or of the default one where there is no such branch yet. */
export async function cloneBranch(repository: string, branch: string): Promise<GitClone> {
  const reference = `refs/heads/${branch}`;
  if ((await runGit(["check-ref-format", reference])).code !== 0)
    throw new DomainError("invalid", `Cannot push to branch ${quote(branch)}: git has no such names`);
  const isThere = (await git(["ls-remote", "--", repository, reference])) !== "";
  const folder = await mkdtemp(join(tmpdir(), "profusion-git-"));
  const clone = {
    folder,
    push: (files: readonly string[], message: string) => push(folder, reference, files, message),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  try {
    // Of a path, --no-local takes one commit too.
    const options = ["--quiet", "--depth=1", "--no-local", "--no-tags", "--single-branch"];
    await git(["clone", ...options, ...(isThere ? [`--branch=${branch}`] : []), "--", repository, folder]);
    return clone;
  } catch (error) {
    await clone[Symbol.asyncDispose]();
    throw error;
  }
}

async function push(folder: string, reference: string, files: readonly string[], message: string): Promise<string> {
  // What .gitignore says of *.pgo is about those that lie around.
  await git(["add", "--force", "--", ...files], folder);
  const isKnown =
    process.env.GIT_COMMITTER_EMAIL !== undefined || (await runGit(["config", "user.email"], folder)).code === 0;
  await git([...(isKnown ? [] : COMMITTER), "commit", "--quiet", "--message", message], folder);
  try {
    await git(["push", "--quiet", "origin", `HEAD:${reference}`], folder);
  } catch (error) {
    if (!(error instanceof DomainError) || !error.message.includes("rejected]")) throw error;
    throw new DomainError(
      "conflict",
      `${error.message}\nNothing is ever forced: where the branch has moved meanwhile, run it again; where it is protected, name another --branch and open a merge request from it`,
      { cause: error },
    );
  }
  return (await git(["rev-parse", "HEAD"], folder)).trim();
}

/** What it said. Throws `unavailable` with what it complained of. */
async function git(args: readonly string[], folder?: string): Promise<string> {
  const { code, said, complained } = await runGit(args, folder);
  if (code === 0) return said;
  throw new DomainError(
    "unavailable",
    `git ${args.find((arg) => !/^-|=/.test(arg))} failed: ${withoutCredentials(complained.trim())}`,
  );
}

/** Git leaves them out of most of what it says. */
function withoutCredentials(complaint: string): string {
  return complaint.replace(/[^\s/:'"]+:[^\s/@]+@/g, "xxxxx@");
}

/** Throws `unavailable` where there is no git. */
async function runGit(args: readonly string[], folder?: string) {
  const child = spawn("git", args, { cwd: folder, env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
  try {
    const [said, complained, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close") as Promise<[number | null]>,
    ]);
    return { said, complained, code };
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
    throw new DomainError("unavailable", "Cannot run git: there is none on the PATH", { cause });
  }
}
