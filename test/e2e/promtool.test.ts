// Prometheus' own judge of names and rules: promtool, of Debian's package prometheus.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { runServer } from "../support/run-server.ts";
import { ALERT_CASES } from "./alert-cases.ts";

const ALERTS = fileURLToPath(new URL("../../deploy/alerts.yaml", import.meta.url));

const { groups } = parse(readFileSync(ALERTS, "utf8")) as { groups: { rules: { alert: string }[] }[] };
const rules = groups.flatMap((group) => group.rules);

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

test("every alert has a case at which it fires and one at which it does not", () => {
  expect(ALERT_CASES.map(({ alert }) => alert).sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

describe.each(ALERT_CASES)("$alert", ({ alert, fires, silent }) => {
  test.each([
    ["fires", fires, 1],
    ["stays silent", silent, 0],
  ])("%s", (_what, series, count) => {
    expect(evaluated(alert, series, count)).toEqual({ status: 0, text: expect.stringContaining("SUCCESS") });
    // promtool does look: it does not take the opposite too.
    expect(evaluated(alert, series, 1 - count).status).not.toBe(0);
  });
});

/** What promtool says of the claim that `count` instances have the alert at the end of the series, in steps of five minutes. */
function evaluated(alert: string, series: Record<string, string>, count: number) {
  const folder = mkdtempSync(join(tmpdir(), "profusion-alerts-"));
  try {
    const file = join(folder, "test.yaml");
    const inputs = Object.entries(series).map(([name, values]) => ({ series: withInstance(name), values }));
    const expr = `count(ALERTS{alertname="${alert}",alertstate="firing"})`;
    const samples = count === 0 ? [] : [{ labels: "{}", value: count }];
    const end = { expr, eval_time: `${5 * stepsOf(series)}m`, exp_samples: samples };
    const tests = [{ interval: "5m", input_series: inputs, promql_expr_test: [end] }];
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ rule_files: ["rule.yaml"], evaluation_interval: "5m", tests }));
    // This rule alone: to evaluate all of them in every step of a week takes long.
    const rule = rules.filter((each) => each.alert === alert);
    writeFileSync(join(folder, "rule.yaml"), JSON.stringify({ groups: [{ name: "profusion", rules: rule }] }));
    return promtool(["test", "rules", file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function withInstance(name: string): string {
  return name.endsWith("}") ? name.replace("{", '{instance="a:1",') : `${name}{instance="a:1"}`;
}

/** v x n are n + 1 values. */
function stepsOf(series: Record<string, string>): number {
  const [values] = Object.values(series);
  return values!.split(" ").reduce((steps, part) => steps + Number(part.split("x")[1]) + 1, -1);
}
