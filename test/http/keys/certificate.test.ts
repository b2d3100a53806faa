// Which names a client's certificate has, as Node shows them.

import { expect, test } from "vitest";
import { namesOf } from "../../../src/http/keys/certificate.ts";

const subject = (CN: unknown) => ({ CN }) as Parameters<typeof namesOf>[0]["subject"];

test.each([
  [
    "the common name and what tells who it is",
    "a",
    "DNS:a.example, URI:spiffe://x/a, email:a@x",
    ["a", "a.example", "spiffe://x/a", "a@x"],
  ],
  ["no address", "a", "IP Address:127.0.0.1, DNS:b", ["a", "b"]],
  ["none without any", undefined, undefined, []],
  ["no common name where there are several", ["a", "b"], "DNS:c", ["c"]],
  ["no alternative where one could pass for two", "a", 'DNS:"b, DNS:admin", DNS:c', ["a"]],
])("%s", (_, common, subjectaltname, names) => {
  expect(namesOf({ subject: subject(common), ...(subjectaltname !== undefined && { subjectaltname }) })).toEqual(names);
});

test("a certificate without a subject has its alternative names", () => {
  expect(namesOf({ subject: undefined as never, subjectaltname: "DNS:c" })).toEqual(["c"]);
});
