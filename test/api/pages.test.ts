// Lists whose items are large: a page ends at its bytes, on every protocol, and the walk through all pages still meets everything once.

import { type DescMessage, type Message, toBinary, toJsonString } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ListProfilesResponseSchema, ProfileService } from "../../gen/profusion/v1/profile_service_pb.ts";
import {
  ListLabelValuesResponseSchema,
  ListSeriesResponseSchema,
  QueryService,
} from "../../gen/profusion/v1/query_service_pb.ts";
import { runServer, type ServerForTest } from "../support/run-server.ts";

const COUNT = 9;
const PAGE_BYTES = 20_000;
let server: ServerForTest;

beforeAll(async () => {
  server = await runServer({ pageBytes: PAGE_BYTES });
  const { profiles } = clients();
  for (let at = 0; at < COUNT; at++) {
    const labels = [
      { name: "x", value: `${at}`.repeat(4000) },
      ...Array.from({ length: 40 }, (_, n) => ({ name: `n${n}`, value: "v" })),
    ];
    const metadata = {
      service: "s",
      profileType: "trace",
      labels,
      startTime: { seconds: 1_750_000_000n + BigInt(at) },
    };
    await profiles.createProfile({ metadata, profileBytes: Buffer.from("trace") });
  }
});
afterAll(() => server[Symbol.asyncDispose]());

function clients() {
  const transport = createGrpcTransport({ baseUrl: server.url });
  return { profiles: createClient(ProfileService, transport), queries: createClient(QueryService, transport) };
}

/** Every item of a list, in its order; no page is over the bytes, and some pages are full by them. */
async function walk<Page extends Message & { nextPageToken: string }, Item>(
  schema: DescMessage,
  list: (pageToken: string) => Promise<Page>,
  itemsOf: (page: Page) => Item[],
): Promise<Item[]> {
  const items: Item[] = [];
  let pageToken = "";
  let pages = 0;
  do {
    const page = await list(pageToken);
    pageToken = page.nextPageToken;
    const listed = { ...page, nextPageToken: "" };
    expect(toBinary(schema, listed).length).toBeLessThanOrEqual(PAGE_BYTES);
    expect(toJsonString(schema, listed).length).toBeLessThanOrEqual(PAGE_BYTES);
    items.push(...itemsOf(page));
    pages++;
  } while (pageToken !== "");
  expect(pages).toBeGreaterThan(1);
  expect(pages).toBeLessThan(COUNT);
  return items;
}

test.each([1, 2] as const)("profiles, in order %i", async (order) => {
  const ids = await walk(
    ListProfilesResponseSchema,
    (pageToken) => clients().profiles.listProfiles({ pageSize: 1000, order, pageToken }),
    (page) => page.profiles.map(({ id }) => id),
  );
  expect(ids).toHaveLength(COUNT);
  expect(order === 1 ? ids.toReversed() : ids).toEqual([...new Set(ids)].sort());
});

test("series", async () => {
  const values = await walk(
    ListSeriesResponseSchema,
    (pageToken) => clients().queries.listSeries({ pageSize: 1000, pageToken }),
    (page) => page.series.map(({ labels }) => labels.find(({ name }) => name === "x")!.value[0]),
  );
  expect(values).toEqual([..."012345678"]);
});

test("values of a label", async () => {
  const values = await walk(
    ListLabelValuesResponseSchema,
    (pageToken) => clients().queries.listLabelValues({ labelName: "x", pageSize: 1000, pageToken }),
    (page) => page.labelValues.map(({ name }) => name[0]),
  );
  expect(values).toEqual([..."012345678"]);
});

test("/api/0, whose list is one answer of many pages: the newest five, oldest first", async () => {
  const answer = await fetch(`${server.url}/api/0/profiles?service=s&type=trace&from=0&to=4000000000&limit=5`);
  const { body } = (await answer.json()) as { body: { labels: { value: string }[] }[] };
  expect(body.map(({ labels }) => labels.at(-1)!.value[0])).toEqual([..."45678"]);
});
