// Page tokens: they read back for their own request, and for no other.

import { describe, expect, test } from "vitest";
import { afterOf, pageToken } from "../../src/api/page-token.ts";
import { DomainError } from "../../src/model/errors.ts";

describe("page tokens", () => {
  test.each(["01ks000000000000000000000a", "", "große Größe\u0000\u{1f600}"])("%j reads back", (after) => {
    expect(afterOf(pageToken(after, ["list", "{}"]), ["list", "{}"])).toBe(after);
  });

  test("no token is the first page, and the last page has none", () => {
    expect(afterOf("", ["list"])).toBeUndefined();
    expect(pageToken(undefined, ["list"])).toBe("");
  });

  test.each([
    ["another request", pageToken("a", ["list", "{}", undefined])],
    ["fields that run together otherwise", pageToken("a", ["list{}"])],
    ["a text of nobody's", "next"],
    ["a text that is not base64", "%%%"],
  ])("the token of %s is refused", (_, token) => {
    expect(() => afterOf(token, ["list", "{}"])).toThrow(DomainError);
  });
});
