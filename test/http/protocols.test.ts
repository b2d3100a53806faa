// Which protocols are on, and what is said where two want one path.

import { describe, expect, test } from "vitest";
import { isEnabled, PROTOCOLS, sharedPaths } from "../../src/http/protocols.ts";
import type { Route } from "../../src/http/router.ts";

const on = (enable: (typeof PROTOCOLS)[number][], disable: (typeof PROTOCOLS)[number][]) =>
  PROTOCOLS.filter((name) => isEnabled(name, { enable, disable }));

test("all are on, or those that are named, less those that are switched off", () => {
  expect(on([], [])).toEqual(PROTOCOLS);
  expect(on(["profefe"], [])).toEqual(["profefe"]);
  expect(on([], ["profefe"])).toEqual(PROTOCOLS.filter((name) => name !== "profefe"));
  expect(on(["profefe", "autopgo"], ["autopgo"])).toEqual(["profefe"]);
});

describe("sharedPaths()", () => {
  const route = (method: Route["method"], path: string): Route => ({ method, path, handle() {} });
  const told = (first: Route, second: Route) =>
    sharedPaths([
      { name: "profefe", routes: [first, first] },
      { name: "autopgo", routes: [second] },
    ]);

  test("names the one that has a path, once, by the router's rules", () => {
    const has = (winner: string, path: string, loser: string) => [
      expect.stringContaining(`${winner} has ${path}, which ${loser} wants too`),
    ];
    expect(told(route("GET", "/a"), route("GET", "/a"))).toEqual(has("profefe", "/a", "autopgo"));
    expect(told(route("*", "/a"), route("GET", "/a"))).toEqual(has("profefe", "/a", "autopgo"));
    expect(told(route("GET", "/a*"), route("POST", "/ab"))).toEqual(has("autopgo", "/ab", "profefe"));
    expect(told(route("GET", "/ab/*"), route("GET", "/a*"))).toEqual(has("profefe", "/ab/*", "autopgo"));
  });

  test("is silent where no request fits two", () => {
    expect(told(route("GET", "/a"), route("POST", "/a"))).toEqual([]);
    expect(told(route("GET", "/a"), route("GET", "/b"))).toEqual([]);
    expect(told(route("GET", "/a/*"), route("GET", "/a"))).toEqual([]);
  });
});
