// What a pattern tells of paths.

import { describe, expect, test } from "vitest";
import { parsePathPattern } from "../../../src/cli/push/path-pattern.ts";

const read = (pattern: string, path: string) => {
  const values = parsePathPattern(pattern).match(path);
  return values && Object.fromEntries(values);
};

describe("parsePathPattern()", () => {
  test.each<[string, string, Record<string, string> | undefined]>([
    [
      "{service}/{version}/{type}-*.pb.gz",
      "auth/1.4.2/cpu-17.pb.gz",
      { service: "auth", version: "1.4.2", type: "cpu" },
    ],
    ["{service}/{type}.pb.gz", "/home/me/auth/heap.pb.gz", { service: "auth", type: "heap" }],
    ["./{service}.pb", "a/auth.pb", { service: "auth" }],
    ["{service}-{version}.pb", "auth-1-2.pb", { service: "auth", version: "1-2" }],
    ["{service}*.pb", "auth-1.pb", { service: "a" }],
    ["{k8s.io}/x.(pb)+", "pod/x.(pb)+", { "k8s.io": "pod" }],
    ["{service}/{type}-*.pb.gz", "auth/1.4.2/cpu.pb.gz", undefined],
    ["{service}/{type}.pb.gz", "heap.pb.gz", undefined],
    ["{service}/{type}.pb.gz", "/heap.pb.gz", undefined],
    ["{type}-*.pb.gz", "1cpu-2.pb.gz", undefined],
    ["{service}.pb", "auth.pb.gz", undefined],
    ["{service}.pb", "authxpb", undefined],
  ])("%s reads %s as %o", (pattern, path, values) => {
    expect(read(pattern, path)).toEqual(values);
  });

  test.each([
    ["*.pb.gz", "it names nothing"],
    ["", "it names nothing"],
    ["{service}/{service}.pb", "it has {service} twice"],
    ["{service/x.pb", 'a "{" in it has no partner'],
    ["{}/x.pb", 'a "{" in it has no partner'],
    ["**/{service}.pb", "* stands for a part of one name"],
  ])("refuses %o: %s", (pattern, reason) => {
    expect(() => parsePathPattern(pattern)).toThrow(reason);
  });
});
