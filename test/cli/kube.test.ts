// `profusion kube` where it never comes to a cluster: what is refused as it is typed, and no kubectl. With one: test/e2e/kube.test.ts.

import { expect, test } from "vitest";
import { EXIT } from "../../src/cli/exit-code.ts";
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

test("load needs a service, and says so before it reads anything", async () => {
  const { code, stderr } = await runCli(["kube", "load", "nothing.pb.gz"]);
  expect(code).toBe(EXIT.invalid);
  expect(stderr).toMatch(/--service/);
});
