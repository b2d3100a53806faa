// `profusion pgo`: its verbs and their options. What they do is in files of their own, loaded when they are asked for.

import type { Command } from "commander";
import { addClientOptions } from "../client-options.ts";
import { addExample } from "../example.ts";
import { EXIT } from "../exit-code.ts";
import { addOutputOptions } from "../output.ts";
import { repeated } from "../repeated.ts";
import { addPolicies } from "./policies.ts";
import { addQuestionOptions, addRequireOption, addServiceOption } from "./question.ts";

export function addPgo(program: Command): void {
  const pgo = program.command("pgo").description("profiles for `go build -pgo`: fetch, judge, publish");
  addFetch(pgo);
  addReport(pgo);
  addCheck(pgo);
  addPublish(pgo);
  addReleases(pgo);
  addChannel(pgo);
  addPolicies(pgo);
  addGit(pgo);
}

function addFetch(pgo: Command): void {
  const command = pgo
    .command("fetch")
    .description("fetch a service's PGO profile into a file; whatever fails leaves the file as it is and exits with 0")
    .option("--service <name>", "what was profiled; with --pin not needed")
    .option("--release <name>", "a release or a channel of the service, such as stable, instead of what is newest")
    .option("--pin <service@name>", "the same in one word, such as auth@2026-11-20")
    .requiredOption("-o, --output <file>", "such as cmd/app/default.pgo, where the main package lies")
    .option("--timeout <duration>", "after which it has failed", "60s")
    .option("--strict", "exit with what failed");
  addRequireOption(command, "take only what is at least so good");
  addQuestionOptions(command);
  addClientOptions(command);
  addOutputOptions(command, "no verdict and no warnings; failures are told");
  addExample(
    command,
    "profusion pgo fetch --service auth -o cmd/auth/default.pgo",
    "profusion pgo fetch --pin auth@2026-11-20 -o default.pgo --strict",
  ).action(async (options) => (await import("./fetch.ts")).fetchFile(options));
}

function addReport(pgo: Command): void {
  const command = pgo
    .command("report")
    .description("tell how good a service's PGO profile is, and why; exits with 0 whatever the verdict");
  addServiceOption(command);
  addQuestionOptions(command);
  addClientOptions(command);
  addOutputOptions(command, "only the verdict");
  addExample(command, "profusion pgo report --service auth").action(async (options) =>
    (await import("./report.ts")).report(options),
  );
}

function addCheck(pgo: Command): void {
  const command = pgo
    .command("check")
    .description(
      `tell what the Go compiler makes of files, without a server; exits with ${EXIT.partial} where one is unusable`,
    )
    .argument("<file...>", "profiles, such as default.pgo");
  addOutputOptions(command, "only verdicts, one a line");
  addExample(command, "profusion pgo check cmd/auth/default.pgo").action(async (files, options) =>
    (await import("./check.ts")).check(files, options),
  );
}

function addPublish(pgo: Command): void {
  const command = pgo
    .command("publish")
    .description("keep a service's PGO profile for ever under a name, with a manifest of what is in it")
    .option("--name <name>", "default: today's date in UTC")
    .option("--channel <channel>", "point this channel at it; may be repeated", repeated(String));
  addServiceOption(command);
  addRequireOption(command, "publish only what is at least so good");
  addQuestionOptions(command);
  addClientOptions(command);
  addOutputOptions(command, "only the release's name");
  addExample(command, "profusion pgo publish --service auth --channel stable --require good").action(async (options) =>
    (await import("./releases.ts")).publish(options),
  );
}

function addReleases(pgo: Command): void {
  const command = pgo.command("releases").description("list what was published of a service, the newest first");
  addServiceOption(command);
  addClientOptions(command);
  addOutputOptions(command, "only names, one a line");
  addExample(command, "profusion pgo releases --service auth").action(async (options) =>
    (await import("./releases.ts")).listReleases(options),
  );
}

function addChannel(pgo: Command): void {
  const command = pgo
    .command("channel")
    .description(
      "point a channel at a release, making it where it is not there; without a release, tell where it points",
    )
    .argument("<service@channel>", "such as auth@stable")
    .argument("[release]", "such as 2026-11-20");
  addClientOptions(command);
  addOutputOptions(command, "only the release's name");
  addExample(command, "profusion pgo channel auth@stable 2026-11-20", "profusion pgo channel auth@stable").action(
    async (channel, release, options) => (await import("./releases.ts")).channel(channel, release, options),
  );
}

function addGit(pgo: Command): void {
  const command = pgo
    .command("git")
    .description("publish, and commit the file and its manifest to a repository, where enough has changed")
    .requiredOption("--repository <repository>", "a URL or path, as git clone takes it")
    .requiredOption("--branch <branch>", "to which it is pushed, never by force; made where it is not there")
    .requiredOption("--main <folder>", "where the main package lies in it, such as cmd/app")
    .option("--release <name>", "commit this release, or that of this channel, instead of publishing one")
    .option("--message <text>", "of the commit")
    .option("--max-drift <share>", "commit where more than this share of the hot calls' weight has moved", "0.2")
    .option("--every <duration>", "commit where the last one is as old, however little has changed", "7d")
    .option("-n, --dry-run", "say what would be done, and publish and push nothing");
  addServiceOption(command);
  addRequireOption(command, "publish only what is at least so good");
  addQuestionOptions(command);
  addClientOptions(command);
  addOutputOptions(command, "say nothing; the exit code tells");
  addExample(
    command,
    "profusion pgo git --service auth --repository git@git.example:auth.git --branch pgo --main cmd/auth",
  ).action(async (options) => (await import("./git.ts")).commitProfile(options));
}
