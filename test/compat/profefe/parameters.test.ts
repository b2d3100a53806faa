// profefe's parameters, without a socket: the tables of what its server makes of each, and what its messages say.

import { describe, expect, test } from "vitest";
import { readProfileQuery, readService, readTime, readType } from "../../../src/compat/profefe/parameters.ts";
import { parseLabelsParameter } from "../../../src/http/labels-parameter.ts";
import { parseParameters, readLabels } from "../../../src/http/query-parameters.ts";
import { DEFAULT_LIMITS } from "../../../src/model/limits.ts";
import { formatSelector } from "../../../src/model/selector.ts";
import { formatTime } from "../../../src/model/time.ts";

const NOW_NS = 1_790_000_000_000_000_000n;

function labelsOf(query: string): Record<string, string>[] {
  return readLabels(parseParameters(query), DEFAULT_LIMITS).map(({ name, value }) => ({ [name]: value }));
}

function queryOf(query: string) {
  const { selector, interval, limit } = readProfileQuery(parseParameters(query), DEFAULT_LIMITS, NOW_NS);
  return {
    selector: formatSelector(selector),
    from: formatTime(interval.startNs),
    to: formatTime(interval.endNs),
    limit,
  };
}

describe("labels", () => {
  test.each<[wire: string, labels: Record<string, string>[]]>([
    ["labels=blabel=value2,alabel=value1", [{ blabel: "value2" }, { alabel: "value1" }]],
    ["labels=alabel=", [{ alabel: "" }]],
    ["labels==value", []],
    ["labels=", []],
    ["", []],
    ["labels=alabel=val=val", [{ alabel: "val=val" }]],
    ["labels=,namespace=x,from=y", [{ namespace: "x" }, { from: "y" }]],
    ["labels=%20k%20=%20v%20,k=1,k=2,novalue", [{ k: "v" }, { k: "1" }, { k: "2" }, { novalue: "" }]],
    ["labels=host=a%252Cb", [{ host: "a,b" }]],
    ["labels=v=1.0%2Bb", [{ v: "1.0 b" }]],
    ["labels=v=1.0+b", [{ v: "1.0 b" }]],
    ["labels=v=1.0%252Bb", [{ v: "1.0+b" }]],
    ["labels=y=%25E2%2582%25AC", [{ y: "€" }]],
    ["labels=y=%E2%82%AC", [{ y: "€" }]],
    // As Node shows bytes that were not escaped at all.
    ["labels=y=\xe2\x82\xac", [{ y: "€" }]],
    // The agent's own encoding of `k,1`="v=1 &" and b="".
    ["labels=k%252C1%3Dv%253D1%2B%2526%2Cb%3D&service=svc+1&type=cpu", [{ "k,1": "v=1 &" }, { b: "" }]],
    ["labels=first=1&labels=second=2", [{ first: "1" }]],
    // U+00A0 is no white space to profefe's eyes when it stands inside a character's bytes.
    ["labels=a=%C3%A0", [{ a: "à" }]],
  ])("%s", (wire, labels) => {
    expect(labelsOf(wire)).toEqual(labels);
  });

  test("a bad second escape is refused in profefe's words", () => {
    expect(() => labelsOf("labels=%25GG=1")).toThrow('bad request: bad "labels" "%GG=1": invalid URL escape "%GG"');
  });

  test.each(["labels=a=%25FF", "labels=a=%FF", "labels=%25C3=1"])("%s is refused: it is not UTF-8", (wire) => {
    expect(() => labelsOf(wire)).toThrow("not valid UTF-8");
  });

  test("any text survives the agent's encoding", () => {
    for (const text of ["a+b", "100%", "a,b=c&d", "ümläut €", " lead", "%2B", "\u{1f600}", "a;b#c?d/e"]) {
      const once = encodeURIComponent(text);
      const wire = `labels=${encodeURIComponent(`${once}=${once}`)}`;
      expect(labelsOf(wire)).toEqual([{ [text]: text }]);
    }
  });

  test("a parameter of many labels is refused before they are decoded", () => {
    expect(parseLabelsParameter("a=1,".repeat(9_000), DEFAULT_LIMITS)).toHaveLength(DEFAULT_LIMITS.labels + 1);
    expect(() => parseLabelsParameter(",".repeat(900_000), DEFAULT_LIMITS)).toThrow("more than 10000 labels");
  });
});

describe("service and type", () => {
  test.each(["", "service=", "service", "Service=x"])("%j has no service", (query) => {
    expect(() => readService(parseParameters(query))).toThrow('bad request: missing "service"');
  });

  test("a service is any text, the first of several", () => {
    expect(readService(parseParameters("x=%ZZ&service=a%2Fb+%3Cc%3E&service=other"))).toBe("a/b <c>");
  });

  test("a service that is not UTF-8 is refused", () => {
    expect(() => readService(parseParameters("service=%FF"))).toThrow('bad "service"');
  });

  test.each([
    ["type=cpu", "cpu"],
    ["type=+cpu%20", "cpu"],
    ["type=allocs", "allocs"],
    ["type=CPU", "CPU"],
    ["type=wall", "wall"],
    ["type=unknown", undefined],
    ["type=not-a-word", undefined],
    ["type=", undefined],
    ["", undefined],
  ])("%j means type %j", (query, type) => {
    expect(readType(parseParameters(query))).toBe(type);
  });
});

describe("times", () => {
  test.each([
    ["2019-05-30T21:10:05", "2019-05-30T21:10:05Z"],
    ["2019-05-30T21:10:05.499312", "2019-05-30T21:10:05.499312Z"],
    ["2019-05-30T21:10:05,4", "2019-05-30T21:10:05.4Z"],
    ["2019-05-30T9:10:05", "2019-05-30T09:10:05Z"],
    ["2019-05-30T21:10:05Z", "2019-05-30T21:10:05Z"],
    ["2019-05-30T21:10:05%2B02:00", "2019-05-30T19:10:05Z"],
    ["2019-05-30T21:10:05+02:00", "2019-05-30T19:10:05Z"],
    ["2019-05-30T21:10:05-02:00", "2019-05-30T23:10:05Z"],
    ["1559250605", "2019-05-30T21:10:05Z"],
    ["1559250605499", "2019-05-30T21:10:05.499Z"],
    ["1559250605499312", "2019-05-30T21:10:05.499312Z"],
    ["1559250605499312001", "2019-05-30T21:10:05.499312001Z"],
    ["now", formatTime(NOW_NS)],
    ["now-1h", formatTime(NOW_NS - 3_600_000_000_000n)],
  ])("%s is %s", (text, time) => {
    expect(formatTime(readTime(parseParameters(`from=${text}`), "from", NOW_NS)!.timeNs)).toBe(time);
  });

  test.each([
    "2019-05-30",
    "2019-05-30 21:10:05",
    "2019-05-30T24:00:00",
    "2019-02-31T00:00:00",
    "0001-01-01T00:00:00",
    "x",
  ])("%s is refused in profefe's words", (text) => {
    const message = `bad request: bad "from" timestamp "${text}": time in unsupported format "${text}"`;
    expect(() => queryOf(`service=x&from=${encodeURIComponent(text)}&to=now`)).toThrow(message);
  });

  test.each(["1969-12-31T23:59:59", "2300-01-01T00:00:00"])(
    "%s in a query is refused: outside 1970 to 2262",
    (text) => {
      expect(() => queryOf(`service=x&from=${text}&to=now`)).toThrow("between 1970-01-01 and 2262-04-11");
    },
  );
});

describe("a query", () => {
  test("a zoneless `to` covers its whole second, one with a fraction its nanosecond, an instant ends there", () => {
    const to = (text: string) => queryOf(`service=x&from=2019-05-30T21:10:05&to=${text}`).to;
    expect(to("2019-05-30T21:10:05")).toBe("2019-05-30T21:10:06Z");
    expect(to("2019-05-30T21:10:05.5")).toBe("2019-05-30T21:10:05.500000001Z");
    expect(to("2019-05-30T21:10:05Z")).toBe("2019-05-30T21:10:05Z");
    expect(to("1559250606")).toBe("2019-05-30T21:10:06Z");
  });

  test("last=1h is the hour that ends now", () => {
    expect(queryOf("service=x&last=1h")).toMatchObject({
      from: formatTime(NOW_NS - 3_600_000_000_000n),
      to: formatTime(NOW_NS),
    });
  });

  test.each([
    ["", 'missing "service"'],
    ["service=x", 'missing "from"'],
    ["service=x&from=now-1h", 'missing "to"'],
    ["service=x&from=now-1h&to=now&limit=abc", 'bad "limit" "abc": strconv.Atoi: parsing "abc": invalid syntax'],
    ["service=x&from=now-1h&to=now&limit=1.5", 'bad "limit" "1.5": strconv.Atoi: parsing "1.5": invalid syntax'],
    ["service=x&from=now-1h&to=now&limit=99999999999999999999", "value out of range"],
    ["service=x&from=now-1h&to=now&limit=-1", 'bad "limit" "-1": it must not be negative'],
    [
      "service=x&from=2019-06-01T00:00:00&to=2019-05-01T00:00:00",
      "bad request: CreatedAtMin after CreatedAtMax: 2019-06-01 00:00:00 +0000 UTC, 2019-05-01 00:00:00 +0000 UTC",
    ],
    ["service=x&last=1h&from=now", '"last" stands for "from" and "to"'],
    ["service=x&last=soon", 'bad "last" "soon"'],
    ["query=%7B&last=1h", 'bad "query"'],
    ["query=a%7Bb%3D~%22(%22%7D&last=1h", "Cannot use regular expression"],
    [`service=x&last=1h&labels=${"a".repeat(300)}=1`, "at most 256 are allowed"],
    [`service=x&last=1h&labels=${Array.from({ length: 65 }, (_, at) => `l${at}=1`).join(",")}`, "at most 64"],
    ["service=x&last=1h&labels=a=%2500", "control character"],
  ])("%s is refused: %s", (query, message) => {
    expect(() => queryOf(query)).toThrow(message);
  });

  test("selects by service, any type or one, and by labels that must be present", () => {
    expect(queryOf("service=x&last=1h").selector).toBe('{service="x"}');
    expect(queryOf("service=x&type=cpu&last=1h&labels=b=2,a=1&limit=7")).toMatchObject({
      selector: 'cpu{service="x",a="1",b="2"}',
    });
    const { selector } = readProfileQuery(parseParameters("service=x&last=1h&labels=a="), DEFAULT_LIMITS, NOW_NS);
    expect(selector.labels).toEqual([{ name: "a", operator: "=", value: "", mustExist: true }]);
  });

  test("a selector narrows what the plain parameters say, or stands for them", () => {
    const encoded = encodeURIComponent('cpu{version=~"1[.].*"}');
    expect(queryOf(`query=${encoded}&last=1h`).selector).toBe('cpu{version=~"1[.].*"}');
    expect(queryOf(`query=${encoded}&service=x&labels=a=1&last=1h`).selector).toBe(
      'cpu{service="x",a="1",version=~"1[.].*"}',
    );
  });

  test("limit 0 is none, a sign is allowed, and there is no hidden default", () => {
    const limit = (text: string) => queryOf(`service=x&last=1h&limit=${text}`).limit;
    expect([limit("0"), limit("%2B5"), limit("3000"), queryOf("service=x&last=1h").limit]).toEqual([
      undefined,
      5,
      3000,
      undefined,
    ]);
  });
});
