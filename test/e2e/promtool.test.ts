// Prometheus' own judge of names and rules: promtool, of Debian's package prometheus.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runServer } from "../support/run-server.ts";

const ALERTS = fileURLToPath(new URL("../../deploy/alerts.yaml", import.meta.url));

function promtool(args: readonly string[], input = ""): { status: number | null; text: string } {
  const { status, stdout, stderr, error } = spawnSync("promtool", args, { input, encoding: "utf8" });
  if (error) throw new Error(`promtool cannot be run (apt-get install prometheus): ${error.message}`);
  return { status, text: stdout + stderr };
}

test("promtool check metrics has nothing to say of /metrics", async () => {
  await using running = await runServer();
  await fetch(`${running.url}/api/0/services`);
  const text = await (await fetch(`${running.url}/metrics`)).text();
  expect(promtool(["check", "metrics"], text)).toEqual({ status: 0, text: "" });
  expect(promtool(["check", "metrics"], "# TYPE bad_total gauge\nbad_total 1\n").status).not.toBe(0);
});

test("promtool check rules takes every alert", () => {
  const { status, text } = promtool(["check", "rules", ALERTS]);
  expect([status, text]).toEqual([0, expect.stringContaining("rules found")]);
});
