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

test.each(rules)("$alert asks for metrics that are there, where the page names it", ({ alert, expr }) => {
  const asked = expr.match(/\b(profusion|nodejs)_\w+/g) ?? [];
  const naming = rows.filter(([row]) => row.includes(alert)).map(([, name]) => name);
  if (alert === "ProfusionDown" || asked[0]?.startsWith("nodejs_")) expect(naming).toEqual([]);
  else expect(asked).toEqual(expect.arrayContaining(naming));
  for (const name of asked.filter((name) => name.startsWith("profusion_"))) {
    expect(rows.map(([, known]) => known)).toContain(name);
  }
});
