// A server that was started in a terminal: SIGHUP reads its configuration again while the terminal is there, and ends it when the terminal
// is closed. Needs script(1), which makes a terminal.

import { spawn } from "node:child_process";
import { on, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "profusion-terminal-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a server ends with its terminal, and not by SIGHUP before", async () => {
  const command = [process.execPath, MAIN, "serve", "--listen", "127.0.0.1:0", "--data", join(folder, "data")];
  const terminal = spawn("script", ["-qfec", `exec ${command.join(" ")}`, "/dev/null"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  try {
    const lines = on(createInterface({ input: terminal.stdout }), "line", { close: ["close"] });
    const serving = (await logged(lines, "serving")) as { pid: number; addresses: { port: number }[] };
    process.kill(serving.pid, "SIGHUP");
    await logged(lines, "the configuration was read again");
    terminal.kill("SIGKILL");
    const { port } = serving.addresses[0]!;
    await vi.waitFor(() => expect(refusalOf(port)).resolves.toBe("ECONNREFUSED"), 30_000);
  } finally {
    terminal.kill("SIGKILL");
  }
});

async function logged(lines: AsyncIterator<string[]>, message: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the terminal ended before "${message}" was logged`);
    const entry = JSON.parse(value[0]!) as Record<string, unknown>;
    if (entry.msg === message) return entry;
  }
}

/** Undefined where someone listens. */
async function refusalOf(port: number): Promise<string | undefined> {
  const socket = connect(port, "127.0.0.1");
  const failed = once(socket, "error").then(([error]) => (error as NodeJS.ErrnoException).code);
  const outcome = await Promise.race([failed, once(socket, "connect").then(() => undefined)]);
  socket.destroy();
  return outcome;
}
