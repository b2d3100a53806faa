// `profusion kube` where it never comes to a cluster: what is refused as it is typed, and no kubectl. With one: test/e2e/kube.test.ts.

import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit-code.ts";
import { goHeap } from "../support/compat-server.ts";
import { runCli } from "../support/run-cli.ts";

const capture = (...args: string[]) => runCli(["kube", "capture", ...args], { env: { PATH: "/nowhere" } });

test.each([
  [["--type", "wall"], /^profusion: .*Cannot capture type "wall": pods serve allocs, block, cpu, .*\n$/],
  [["--seconds", "0"], /^profusion: .*whole number from 1 to 3600.*\n$/],
  [["web-1", "-l", "app=web"], /^profusion: Cannot take names of pods together with --selector or --all-namespaces\n$/],
  [["web-1", "-A"], /^profusion: Cannot take names of pods together with --selector or --all-namespaces\n$/],
])("capture %j is refused in a line", async (args, message) => {
  const { code, stderr } = await capture(...args);
  expect(stderr).toMatch(message);
  expect(code).toBe(EXIT.invalid);
});

test("without kubectl it says that it needs it", async () => {
  const { code, stdout, stderr } = await capture();
  expect([code, stdout.toString(), stderr]).toEqual([
    EXIT.unavailable,
    "",
    "profusion: Cannot run kubectl, by which the cluster is reached: it is not on the PATH\n",
  ]);
});

describe("of a kubectl that answers what a cluster never would", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "profusion-kube-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const captureBy = (script: string, ...args: string[]) => {
    writeFileSync(join(folder, "kubectl"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return runCli(["kube", "capture", ...args], { env: { PATH: `${folder}:/usr/bin:/bin` } });
  };

  test("text that is no JSON is told", async () => {
    const { code, stderr } = await captureBy("echo Warning: the moon is full");
    expect([code, stderr]).toEqual([
      EXIT.unavailable,
      'profusion: kubectl failed: it answers no JSON but "Warning: the moon is full\\n"\n',
    ]);
  });

  test("names that lead elsewhere become names in the folder", async () => {
    const target = createServer((_, response) => response.end(goHeap()));
    target.listen(0, "127.0.0.1");
    await once(target, "listening");
    const pod = (namespace: string, name: string) => ({
      metadata: { namespace, name, annotations: { "profefe.com/enable": "true" } },
      status: { phase: "Running" },
    });
    writeFileSync(join(folder, "pods.json"), JSON.stringify({ items: [pod("../up", "../../a"), pod("..", "b")] }));
    const { port } = target.address() as AddressInfo;
    const script = `if [ $1 = get ]; then cat ${folder}/pods.json; else echo "Forwarding from 127.0.0.1:${port} -> 6060"; exec sleep 60; fi`;
    const out = join(folder, "deep/out");
    const { code, stdout } = await captureBy(script, "-A", "--type", "heap", "--output-dir", out);
    target.close();
    expect(code).toBe(EXIT.done);
    expect(readdirSync(out).sort()).toEqual(["..__up", "_"]);
    expect(readdirSync(join(folder, "deep"))).toEqual(["out"]);
    expect(stdout.toString().trim().split("\n")).toHaveLength(2);
  });
});

test("load needs a service, and says so before it reads anything", async () => {
  const { code, stderr } = await runCli(["kube", "load", "nothing.pb.gz"]);
  expect(code).toBe(EXIT.invalid);
  expect(stderr).toMatch(/--service/);
});
