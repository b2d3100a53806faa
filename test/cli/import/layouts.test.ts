// Names as pgolib, profefe, pgo-fleet and autopgo write them, and what is read from them.

import { describe, expect, test } from "vitest";
import { LAYOUTS, type NamedObject, nameObject } from "../../../src/cli/import/layouts.ts";

const MS = 1_700_000_000_123n;
const TIME_NS = MS * 1_000_000n;

/** `layout service type{labels} time`, with what is not there left out. */
function described(named: NamedObject | undefined): string | undefined {
  if (named === undefined) return undefined;
  const { layout, service, type, labels, timeNs } = named;
  const pairs = labels.map(({ name, value }) => `${name}=${value}`).join("|");
  return [layout, service, type, pairs, timeNs].map((each) => each ?? "").join(" · ");
}

test.each([
  // pgolib's folder
  ["shop-1700000000123.pprof", `pgolib · shop ·  ·  · ${TIME_NS}`],
  ["my-shop-2-1700000000123.pprof", `pgolib · my-shop-2 ·  ·  · ${TIME_NS}`],
  ["eu/shop-1700000000123.pprof", `pgolib · shop ·  ·  · ${TIME_NS}`],
  // its bucket: the prefix twice, and no app
  ["profile/profile/-1700000000123.pprof", `pgolib · profile ·  ·  · ${TIME_NS}`],
  ["team/shop/team/shop/-1700000000123.pprof", `pgolib · team/shop ·  ·  · ${TIME_NS}`],
  ["-1700000000123.pprof", `pgolib ·  ·  ·  · ${TIME_NS}`],
  ["/-1700000000123.pprof", `pgolib ·  ·  ·  · ${TIME_NS}`],
  // its Redis
  ["prod:shop:1700000000123", `pgolib · shop ·  · namespace=prod · ${TIME_NS}`],
  ["prod:shop:eu:1700000000123", `pgolib · shop:eu ·  · namespace=prod · ${TIME_NS}`],
  [":shop:1700000000123", `pgolib · shop ·  ·  · ${TIME_NS}`],
  // profefe's buckets; the first is an example of its own tests
  ["P0.svc1/1/9bsv0s3ipt32jfck6kt0,k1=v1,k2=v2", "profefe · svc1 · cpu · k1=v1|k2=v2 · 1257894000000000000"],
  ["P0.svc1/2/9bsv0s3ipt32jfck6kt0", "profefe · svc1 · heap ·  · 1257894000000000000"],
  ["P0.a__b/127/bpc00mript33iv4net01", "profefe · a/b · other ·  · 1582825563000000000"],
  ["P0.svc/128/bpc00mript33iv4net01", "profefe · svc · trace ·  · 1582825563000000000"],
  [
    "P0.svc/5/bpc00mript33iv4net01,url=http://a/b?c=d,list=a,b,c,v=1.0+b%",
    "profefe · svc · goroutine · url=http://a/b?c=d|list=a,b,c|v=1.0+b% · 1582825563000000000",
  ],
  ["P0.svc/3/bpc00mript33iv4net01,empty=", "profefe · svc · block · empty= · 1582825563000000000"],
  // pgo-fleet's folder
  ["1700000000123_1.pgo", `pgo-fleet · pgo-fleet ·  ·  · ${TIME_NS}`],
  ["merged_1700000000123_12.pgo", "pgo-fleet · pgo-fleet ·  ·  · "],
  // autopgo's bucket
  ["my-app/staging/1700000000123456789", "autopgo · my-app · cpu · via=autopgo · 1700000000123456789"],
  ["my-app/default.pgo", "autopgo · my-app · cpu · via=autopgo · "],
])("%s", (name, said) => {
  expect(described(nameObject(name, ""))).toBe(said);
});

test.each([
  "README.md",
  "shop.pprof",
  "shop-.pprof",
  "shop-12.pprof",
  "shop-1700000000123.pprof.tmp",
  "shop:1700000000123",
  "user:session:12",
  "P0.svc1/0/9bsv0s3ipt32jfck6kt0",
  "P0.svc1/cpu/9bsv0s3ipt32jfck6kt0",
  "P0.svc1/7/9bsv0s3ipt32jfck6kt0",
  "P0.svc1/1/b49int,k1=v1",
  "P0.svc1/1/9bsv0s3ipt32jfck6kt0/%GG=v1",
  "P1.svc1/1/9bsv0s3ipt32jfck6kt0",
  "1700000000123.pgo",
  "old/1700000000123_1.pgo",
  "My_App/default.pgo",
  "cmd/app/default.pgo",
  "app/staging/1700000000123",
])("%s is nobody's", (name) => {
  expect(nameObject(name, "")).toBeUndefined();
});

describe("in a bucket that is shared", () => {
  test.each([
    ["data/P0.svc1/1/9bsv0s3ipt32jfck6kt0", "data/", "svc1"],
    ["data/P0.svc1/1/9bsv0s3ipt32jfck6kt0", "data", "svc1"],
    ["P0.svc1/1/9bsv0s3ipt32jfck6kt0", "P0.svc1/", "svc1"],
    ["data/app/default.pgo", "data/", "app"],
    ["app/default.pgo", "app/", "app"],
    ["data/profile/profile/-1700000000123.pprof", "data/", "profile"],
    ["profile/profile/-1700000000123.pprof", "profile/", "profile"],
    ["profile/profile/-1700000000123.pprof", "profile/profile/", "profile"],
  ])("%s below %s is of %s", (name, prefix, service) => {
    expect(nameObject(name, prefix)?.service).toBe(service);
  });

  test("nothing below another prefix is", () => {
    expect(nameObject("data/app/default.pgo", "")).toBeUndefined();
  });
});

test("with a layout asked for, names of the others are nobody's", () => {
  const names = ["a-1700000000123.pprof", "P0.a/1/9bsv0s3ipt32jfck6kt0", "1700000000123_1.pgo", "a/default.pgo"];
  for (const layout of LAYOUTS) {
    expect(names.flatMap((name) => nameObject(name, "", layout)?.layout ?? [])).toEqual([layout]);
  }
});
