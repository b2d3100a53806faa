// `profusion open`: a selection in the browser. The server has no page yet: what opens is the merge, as a download.

import { once } from "node:events";
import type { Command } from "commander";
import { DomainError } from "../model/errors.ts";
import { formatTime } from "../model/time.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { addExample } from "./example.ts";
import { askedMerge } from "./fetch-merge.ts";
import { addOutputOptions, answer, answerJson, note, type OutputOptions } from "./output.ts";
import { addSelectionOptions, SELECTOR_HELP, type SelectionOptions } from "./selection-options.ts";
import { findTarget } from "./target.ts";

interface OpenOptions extends ClientOptions, SelectionOptions, OutputOptions {
  print?: true;
}

export function addOpen(program: Command): void {
  const command = program
    .command("open")
    .description("open the merge of all profiles that match in the browser, which downloads it; print its URL")
    .argument("[selector]", SELECTOR_HELP)
    .option("--print", "only print the URL; so it is, too, where there is no display")
    .action(open);
  addSelectionOptions(command);
  addClientOptions(command);
  addOutputOptions(command, "do not print the URL where the browser opens it");
  addExample(command, `profusion open 'cpu{service="auth"}' --last 2h`);
}

async function open(typed: string | undefined, options: OpenOptions): Promise<void> {
  const { selector, window } = await askedMerge(typed, options);
  const { server } = await findTarget(options);
  const [from, to] = [window.startNs, window.endNs].map(formatTime);
  const url = `${server}/api/0/profiles/merge?${new URLSearchParams({ query: selector, from: from!, to: to! })}`;
  const browser = options.print ? undefined : browserOf(process.env, process.platform);
  if (browser !== undefined) await start(browser, url);
  if (options.json) return answerJson({ url, opened: browser !== undefined });
  if (browser === undefined || !options.quiet) answer(url);
  if (browser === undefined && !options.print) note("there is no display here: open the URL elsewhere", options);
}

/** The program that opens URLs, undefined where there is no display. $BROWSER wins. */
export function browserOf(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | undefined {
  if (env.BROWSER) return env.BROWSER;
  if (platform === "darwin") return "open";
  if (platform === "win32") return "explorer";
  return env.DISPLAY || env.WAYLAND_DISPLAY ? "xdg-open" : undefined;
}

async function start(browser: string, url: string): Promise<void> {
  const { spawn } = await import("node:child_process");
  const child = spawn(browser, [url], { stdio: "ignore", detached: true });
  try {
    await once(child, "spawn");
  } catch (cause) {
    throw new DomainError("unavailable", `Cannot run ${browser}: name a browser in $BROWSER, or say --print`, {
      cause,
    });
  }
  child.unref();
}
