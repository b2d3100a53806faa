// A program at a terminal, by util-linux's `script`: what it writes there, and keys that are pressed when it is ready.

import { spawn } from "node:child_process";
import { once } from "node:events";

export interface Terminal extends AsyncDisposable {
  /** Presses keys as soon as `text` has come since the last call, and gives what came. Fails where the program ends before. */
  press(keys: string, after: string | RegExp): Promise<string>;
  /** What came until the program ended, and its exit code. */
  ended(): Promise<{ code: number | null; text: string }>;
}

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
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    changed.resolve();
    changed = Promise.withResolvers();
  });
  return {
    async press(keys, after) {
      const hasCome = () => (typeof after === "string" ? text.includes(after) : after.test(text));
      while (!hasCome()) {
        const over = await Promise.race([changed.promise, closed]);
        if (over && !hasCome()) throw new Error(`it ended before ${after} came: ${text}`);
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
