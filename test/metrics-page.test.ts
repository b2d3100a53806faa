// docs/metrics.md names every metric that a server has, each alert is in deploy/alerts.yaml, and alerts ask for nothing else.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { runServer } from "./support/run-server.ts";

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), "utf8");
const rows = [...read("docs/metrics.md").matchAll(/^\| `(\w+)` \| (\w+) \|.*\| (.*) \|$/gm)];
const { groups } = parse(read("deploy/alerts.yaml")) as { groups: { rules: { alert: string; expr: string }[] }[] };
const rules = groups.flatMap((group) => group.rules);

test("every metric of a running server has a line with its type, and no line is of another", async () => {
  await using running = await runServer();
  const text = await (await fetch(`${running.url}/metrics`)).text();
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`);
  const own = types.filter((type) => !/^(nodejs|process)_/.test(type));
  expect(own.length).toBeGreaterThan(20);
  expect(rows.map(([, name, type]) => `${name} ${type}`).sort()).toEqual(own.sort());
});

test("the alerts that the page names are those of the rule file", () => {
  const named = new Set(read("docs/metrics.md").match(/\bProfusion[A-Z]\w+/g));
  expect([...named].sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

test("every metric of the page has an alert that uses it", () => {
  expect(rows.filter(([, , , alerts]) => !/^Profusion/.test(alerts!)).map(([, name]) => name)).toEqual([]);
});

test.each(rules)("$alert asks for metrics that are there, where the page names it", ({ alert, expr }) => {
  // Of a histogram and of a summary the series have names of their own.
  const series = expr.match(/\b(profusion|profefe|nodejs|process)_\w+/g) ?? [];
  const asked = series.map((name) => name.replace(/_(bucket|sum|count)$/, ""));
  const naming = rows.filter(([row]) => row.includes(alert)).map(([, name]) => name);
  if (alert === "ProfusionDown" || /^(nodejs|process)_/.test(asked[0]!)) expect(naming).toEqual([]);
  else expect(asked).toEqual(expect.arrayContaining(naming));
  for (const name of asked.filter((name) => /^prof/.test(name))) {
    expect(rows.map(([, known]) => known)).toContain(name);
  }
});
