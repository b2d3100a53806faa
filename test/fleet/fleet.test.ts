// The fleet that benchmarks and tests draw: as real as its sources, and the same each time.

import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import { describe, expect, test } from "vitest";
import { SEED_FOLDER, SERIES_TYPES } from "../../bench/recordings.ts";
import { type FleetOptions, fleetInTime, fleetMembers, fleetProfile } from "../../src/fleet/fleet.ts";
import { parseProfiles, readBuilds, readUploads } from "../../src/fleet/real-profiles.ts";
import { writeAsRuntime } from "../../src/fleet/runtime-writer.ts";
import { DEFAULT_LIMITS } from "../../src/model/limits.ts";
import { ProfileRebuilder } from "../../src/pack/profile-rebuilder.ts";
import { summarize } from "../../src/pprof/summary.ts";
import { byShape, decode, packOf } from "../pack/packing.ts";

const startNs = 1_772_409_600_000_000_000n;
const HOUR_NS = 3_600_000_000_000n;
const builds = readBuilds(SEED_FOLDER, SERIES_TYPES);
const fleet: FleetOptions = { builds, seed: 7, startNs, hours: 48, instances: 3, perInstance: 24, hoursPerRelease: 8 };

describe("a profile that Go's runtime wrote is written again byte for byte", () => {
  test.each(readUploads(SEED_FOLDER, SERIES_TYPES))("$service $version $type", ({ bodies }) => {
    const raws = bodies.map((body) => gunzipSync(body));
    for (const [nth, source] of parseProfiles(raws).entries()) {
      const timeNs = BigInt(Profile.decode(raws[nth]!).timeNanos);
      expect(raws[nth]!.equals(writeAsRuntime(source, { rows: source.rows, timeNs }))).toBe(true);
    }
  });
});

test("the same options give the same fleet, and any profile of it can be asked for alone", () => {
  const all = [...fleetInTime(fleet)];
  expect(all.length).toBe(fleetMembers(fleet).length * 24);
  const member = fleetMembers(fleet).at(-2)!;
  const alone = fleetProfile(fleet, member, 20);
  expect(all[20 * fleetMembers(fleet).length + member.number]).toEqual(alone);
  expect(fleetProfile({ ...fleet, seed: 8 }, member, 20).bytes).not.toEqual(alone.bytes);
});

test("profiles lie in the fleet's hours and say the time that they are told of", () => {
  for (const { bytes, timeNs } of fleetInTime(fleet)) {
    expect(summarize(bytes, DEFAULT_LIMITS).timeNs).toBe(timeNs);
    expect(timeNs >= startNs && timeNs < startNs + 48n * HOUR_NS).toBe(true);
  }
});

test("releases follow one another, and code that comes again has moved", () => {
  const member = fleetMembers(fleet).find(({ service, type }) => service === "web" && type === "cpu")!;
  const versions = Array.from({ length: 24 }, (_, nth) => fleetProfile(fleet, member, nth).labels.at(-1)!.value);
  expect([...new Set(versions)]).toEqual(["1.0.0", "1.1.0", "1.0.0+1", "1.1.0+1", "1.0.0+2", "1.1.0+2"]);
});

test("packs of the fleet give every profile back", () => {
  const raws = [...fleetInTime(fleet)].map(({ bytes }) => bytes);
  for (const members of byShape(raws)) {
    const { pack, profiles, tables } = decode(packOf(members.map((nth) => raws[nth]!)));
    const rebuilder = new ProfileRebuilder({ pack, profiles, tables });
    for (const [row, nth] of members.entries()) expect(Buffer.compare(rebuilder.rebuild(row), raws[nth]!)).toBe(0);
  }
});
