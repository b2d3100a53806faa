// autopgo's prune rules: in what is served, and in nothing that is kept.

import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { withPruneRules } from "../../../src/autopgo-prune-file.ts";
import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";
import { cpuProfile, startAutopgo } from "./autopgo-server.ts";

test("a rule of the app's cuts what is served, another app's does not, and what was uploaded stays whole", async () => {
  const rules = new Map([["web", [{ drop: "^github.com/aws/.*", keep: "kept" }]]]);
  let policies = withPruneRules(new Map(), rules, DEFAULT_LIMITS);
  await using autopgo = await startAutopgo({ pgoPolicies: () => policies });
  const profile = cpuProfile(500, 60, ["github.com/aws/s3.put", "main.store", "main.main"]);
  const [web, api] = [await autopgo.upload("web", profile), await autopgo.upload("api", profile)];
  const served = async (app: string) =>
    gunzipSync((await autopgo.ask("GET", `/api/profile/${app}`)).bytes).toString("latin1");
  expect(await served("web")).not.toContain("github.com/aws");
  expect(await served("web")).toContain("main.store");
  expect(await served("api")).toContain("github.com/aws/s3.put");
  for (const key of [web, api]) {
    const { bytes } = await autopgo.opened.repository.download(key.split("/")[2]!);
    expect(Buffer.from(bytes).equals(profile)).toBe(true);
  }
  policies = new Map();
  expect(await served("web")).toContain("github.com/aws/s3.put");
});
