// A program at a terminal, by util-linux's `script`: what it writes there, and keys that are pressed when it is ready.

import { spawn } from "node:child_process";
import { once } from "node:events";

export interface Terminal extends AsyncDisposable {
  /**
   * Presses keys as soon as `after` has come since the last call, and gives what came. Fails where the program ends before, or says nothing of
   * it for a minute; what is pressed then fails too.
   */
  press(keys: string, after: string | RegExp): Promise<string>;
  /** What came until the program ended, and its exit code. */
  ended(): Promise<{ code: number | null; text: string }>;
}

const PATIENCE_MS = 60_000;

export interface TerminalOptions {
  env?: Record<string, string>;
  columns?: number;
}

/** The command is a shell's. */
export function openTerminal(command: string, { env = {}, columns = 80 }: TerminalOptions = {}): Terminal {
  const inherited = Object.entries(process.env).filter(([name]) => !/^PROFUSION_|^(FORCE|NO)_COLOR$|^CI$/.test(name));
  const sized = `stty rows 40 cols ${columns}; ${command}`;
  const child = spawn("script", ["--quiet", "--return", "--flush", "--command", sized, "/dev/null"], {
    env: { ...Object.fromEntries(inherited), TERM: "xterm", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  let text = "";
  let changed = Promise.withResolvers<void>();
  let isLost = false;
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    changed.resolve();
    changed = Promise.withResolvers();
  });
  return {
    async press(keys, after) {
      const hasCome = () => (typeof after === "string" ? text.includes(after) : after.test(text));
      const deadline = AbortSignal.timeout(PATIENCE_MS);
      const late = once(deadline, "abort").then(() => ["late"]);
      while (!hasCome()) {
        const over = isLost ? ["lost"] : await Promise.race([changed.promise, closed, late]);
        if (!over || hasCome()) continue;
        isLost = true;
        throw new Error(`${deadline.aborted ? "it waits" : "it ended"} before ${after} came: ${JSON.stringify(text)}`);
      }
      const came = text;
      text = "";
      child.stdin.write(keys);
      return came;
    },
    async ended() {
      const [code] = await closed;
      return { code, text: text.replaceAll("\r\n", "\n") };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
