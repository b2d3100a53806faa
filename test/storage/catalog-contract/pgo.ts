// What every catalog promises of policies, releases and channels.

import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { CHANNEL_HISTORY, type ChannelChange, type StoredRelease } from "../../../src/storage/pgo-catalog.ts";
import { BASE_NS, newProfile } from "../../support/catalog-profile.ts";
import { type CatalogUnderTest, idOf } from "../../support/catalog-under-test.ts";

export function pgoContract(under: CatalogUnderTest): void {
  const pgo = () => under.catalog.pgo;
  const digestOf = (content: string) => new Uint8Array(hash("sha256", content, "buffer"));

  /** Its content is its name, unless it is said. */
  function release(name: string, fields: Partial<StoredRelease> & { content?: string } = {}): StoredRelease {
    const { content = name, ...more } = fields;
    return {
      service: "auth",
      name,
      createdNs: BASE_NS,
      digest: digestOf(content),
      sizeBytes: 1234,
      storedDigest: digestOf(`gzipped ${content}`),
      inputsDigest: digestOf("inputs"),
      manifestDigest: digestOf(`manifest of ${name}`),
      verdict: "good",
      objectId: crypto.randomUUID(),
      ...more,
    };
  }

  const move = (channel: string, to: string, more: Partial<ChannelChange> = {}) =>
    pgo().moveChannel({ service: "auth", channel, release: to, movedNs: BASE_NS, mostChannels: 10, ...more });

  describe("policies", () => {
    test("are a service's own, listed by name, and need no profiles", async () => {
      await pgo().putPolicy({ service: "auth", name: "night", policy: '{"a":1}' });
      await pgo().putPolicy({ service: "auth", name: "default", policy: '{"ä":"\\u0000"}' });
      await pgo().putPolicy({ service: "other", name: "night", policy: "{}" });
      expect((await pgo().policies("auth")).map(({ name, policy }) => [name, policy])).toEqual([
        ["default", '{"ä":"\\u0000"}'],
        ["night", '{"a":1}'],
      ]);
      expect(await pgo().policies("nobody")).toEqual([]);
      await pgo().putPolicy({ service: "ü", name: "night", policy: "{}" });
      expect(await pgo().servicesWithPolicy("night")).toEqual(["auth", "other", "ü"]);
      expect(await pgo().servicesWithPolicy("day")).toEqual([]);
      expect(await pgo().policy("auth", "day")).toBeUndefined();
      expect(await pgo().policy("auth", "night")).toMatchObject({ name: "night", policy: '{"a":1}' });
      // Nobody is a service for having a policy.
      expect((await under.catalog.statistics()).services).toBe(0);
      await under.insert(newProfile({ service: "auth" }));
      expect(await under.find('{service="auth"}')).toHaveLength(1);
    });

    test("are put where the expected version is theirs, and otherwise stay as they are", async () => {
      const put = (policy: string, expectedVersion?: number) =>
        pgo().putPolicy({ service: "auth", name: "p", policy, expectedVersion });
      await expect(put("{}", 7)).rejects.toMatchObject({ kind: "stale" });
      const first = await put("1", 0);
      expect(first).toEqual(await pgo().policy("auth", "p"));
      await expect(put("2", 0)).rejects.toMatchObject({ kind: "stale" });
      const second = await put("2", first.version);
      await expect(put("3", first.version)).rejects.toMatchObject({ kind: "stale" });
      expect(await pgo().policy("auth", "p")).toEqual({ name: "p", policy: "2", version: second.version });
      expect((await put("3")).version).toBeGreaterThan(second.version);
    });

    test("are removed in the same way, and a version is never given twice", async () => {
      const { version } = await pgo().putPolicy({ service: "auth", name: "p", policy: "{}" });
      const remove = (expectedVersion?: number) => pgo().removePolicy({ service: "auth", name: "p", expectedVersion });
      await expect(remove(version + 1)).rejects.toMatchObject({ kind: "stale" });
      expect(await remove(version)).toBe(true);
      expect(await remove()).toBe(false);
      expect(await pgo().policies("auth")).toEqual([]);
      const again = await pgo().putPolicy({ service: "auth", name: "p", policy: "{}", expectedVersion: 0 });
      expect(again.version).toBeGreaterThan(version);
    });
  });

  describe("releases", () => {
    test("come back as they were put, by name", async () => {
      const put = release("2026-11-20", { createdNs: 2n ** 62n + 1n, sizeBytes: 2 ** 40 + 1, verdict: "poor" });
      expect(await pgo().insertRelease(put)).toEqual({ release: put, alreadyExisted: false });
      expect(await pgo().release("auth", "2026-11-20")).toEqual(put);
      expect(await pgo().release("auth", "2026-11-21")).toBeUndefined();
      expect(await pgo().release("other", "2026-11-20")).toBeUndefined();
    });

    test("of the same profile and inputs are there already; others are refused, and nothing changes", async () => {
      const first = release("a");
      await pgo().insertRelease(first);
      const again = release("a", { createdNs: BASE_NS + 5n, verdict: "poor" });
      expect(await pgo().insertRelease(again)).toEqual({ release: first, alreadyExisted: true });
      for (const other of [release("a", { content: "b" }), release("a", { inputsDigest: digestOf("others") })]) {
        await expect(pgo().insertRelease(other)).rejects.toMatchObject({ kind: "conflict" });
      }
      expect(await pgo().releases({ service: "auth", limit: 10 })).toEqual([first]);
      // Another service may have the name.
      expect(await pgo().insertRelease(release("a", { service: "b", content: "b" }))).toMatchObject({
        alreadyExisted: false,
      });
    });

    test("of two who publish a name at once, one has it", async () => {
      const both = await Promise.allSettled(
        ["a", "b"].map((content) => pgo().insertRelease(release("n", { content }))),
      );
      expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(await pgo().releases({ service: "auth", limit: 10 })).toHaveLength(1);
    });

    test("are listed newest first, page by page, and one that comes meanwhile repeats nothing", async () => {
      const times: [string, bigint][] = [
        ["b", 3n],
        ["e", 1n],
        ["a", 2n],
        ["d", 2n],
        ["c", 2n],
      ];
      for (const [name, after] of times) await pgo().insertRelease(release(name, { createdNs: BASE_NS + after }));
      await pgo().insertRelease(release("z", { service: "other" }));
      const names: string[] = [];
      for (let after: StoredRelease | undefined; ; ) {
        const page = await pgo().releases({ service: "auth", limit: 2, after });
        names.push(...page.map(({ name }) => name));
        after = page.at(-1);
        if (after === undefined) break;
        await pgo().insertRelease(release(`new-${names.length}`, { createdNs: BASE_NS + 9n }));
      }
      expect(names).toEqual(["b", "d", "c", "a", "e"]);
    });

    test("outlive the profiles of their service", async () => {
      const profile = newProfile({ service: "auth" });
      await under.insert(profile);
      const kept = release("a");
      await pgo().insertRelease(kept);
      await under.catalog.delete([idOf(profile)]);
      expect((await under.catalog.statistics()).profiles).toBe(0);
      expect(await pgo().release("auth", "a")).toEqual(kept);
      expect(await pgo().allReleases()).toEqual({ releases: [kept], unfinished: [] });
    });

    test("are unfinished from their beginning until a row names their objects, or they are forgotten", async () => {
      const [a, again, left] = [release("a"), release("a"), release("left")];
      for (const { objectId } of [a, again, left]) await pgo().beginRelease(objectId);
      await pgo().insertRelease(a);
      await pgo().insertRelease(again);
      const { releases, unfinished } = await pgo().allReleases();
      expect([releases, unfinished.sort()]).toEqual([[a], [again.objectId, left.objectId].sort()]);
      await pgo().forgetReleases([again.objectId]);
      expect(await pgo().allReleases()).toEqual({ releases: [a], unfinished: [left.objectId] });
    });
  });

  describe("channels", () => {
    test("point at a release, are found as it, and remember where they pointed", async () => {
      const [a, b] = [release("a"), release("b")];
      await pgo().insertRelease(a);
      await pgo().insertRelease(b);
      expect(await move("stable", "a")).toEqual({
        name: "stable",
        release: "a",
        movedNs: BASE_NS,
        version: 1,
        history: [],
      });
      expect(await pgo().release("auth", "stable")).toEqual(a);
      const movedNs = 2n ** 62n + 1n;
      const moved = await move("stable", "b", { movedNs });
      expect(moved).toEqual({
        name: "stable",
        release: "b",
        movedNs,
        version: 2,
        history: [{ release: "a", movedNs: BASE_NS }],
      });
      expect(await pgo().release("auth", "stable")).toEqual(b);
      await move("canary", "a");
      expect((await pgo().channels("auth")).map(({ name }) => name)).toEqual(["canary", "stable"]);
      expect((await pgo().channels("auth"))[1]).toEqual(moved);
      expect(await pgo().channels("other")).toEqual([]);
      expect(await pgo().release("other", "stable")).toBeUndefined();
    });

    test("that point there already stay as they are", async () => {
      await pgo().insertRelease(release("a"));
      const first = await move("stable", "a");
      expect(await move("stable", "a", { movedNs: BASE_NS + 1n })).toEqual(first);
    });

    test("are moved where the expected version is theirs", async () => {
      await pgo().insertRelease(release("a"));
      await pgo().insertRelease(release("b"));
      await expect(move("stable", "a", { expectedVersion: 1 })).rejects.toMatchObject({ kind: "stale" });
      const { version } = await move("stable", "a", { expectedVersion: 0 });
      await expect(move("stable", "b", { expectedVersion: 0 })).rejects.toMatchObject({ kind: "stale" });
      expect(await move("stable", "b", { expectedVersion: version })).toMatchObject({ release: "b" });
      await expect(move("stable", "a", { expectedVersion: version })).rejects.toMatchObject({ kind: "stale" });
      expect(await pgo().release("auth", "stable")).toMatchObject({ name: "b" });
    });

    test("have no name that is a release's, nor the other way round, and point at releases alone", async () => {
      await pgo().insertRelease(release("a"));
      await pgo().insertRelease(release("b"));
      await move("stable", "a");
      await expect(move("b", "a")).rejects.toMatchObject({ kind: "conflict" });
      await expect(pgo().insertRelease(release("stable"))).rejects.toMatchObject({ kind: "conflict" });
      await expect(move("canary", "absent")).rejects.toMatchObject({ kind: "not-found" });
      await expect(move("canary", "stable")).rejects.toMatchObject({ kind: "not-found" });
      expect((await pgo().channels("auth")).map(({ name }) => name)).toEqual(["stable"]);
    });

    test("are as many as the caller says, and remember their latest moves", async () => {
      await pgo().insertRelease(release("a"));
      await pgo().insertRelease(release("b"));
      await move("one", "a", { mostChannels: 2 });
      await move("two", "a", { mostChannels: 2 });
      await expect(move("three", "a", { mostChannels: 2 })).rejects.toMatchObject({ kind: "conflict" });
      for (let at = 1; at <= CHANNEL_HISTORY + 5; at++) {
        await move("one", at % 2 ? "b" : "a", { movedNs: BASE_NS + BigInt(at), mostChannels: 2 });
      }
      const { version, history } = (await pgo().channels("auth"))[0]!;
      expect([version, history.length]).toEqual([CHANNEL_HISTORY + 6, CHANNEL_HISTORY]);
      expect(history[0]).toEqual({ release: "a", movedNs: BASE_NS + BigInt(CHANNEL_HISTORY + 4) });
    });
  });
}
