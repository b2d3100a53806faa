// What writers other than Go's runtime wrote is written again byte for byte; how many bytes of order each profile costs.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { learnWrittenForm } from "../../../src/pack/exact/learn.ts";
import { ProfileWriter, WRITER } from "../../../src/pack/exact/profile-writer.ts";
import { Interner } from "../../../src/pprof/interner.ts";
import { asParcaWrites, asPyroscopeWrites, decodeProfile, encodeProfile } from "./emulated-writers.ts";
import { internedProfile } from "./interned-profile.ts";
import { loaded } from "./loaded.ts";

function read(path: string): Uint8Array {
  return gunzipSync(readFileSync(new URL(`../../testdata/${path}.pb.gz`, import.meta.url)));
}

/** Bytes of orders; undefined where the bytes must be kept. */
function orderBytes(raw: Uint8Array): number | undefined {
  const { source, samples } = loaded(raw);
  const writer = new ProfileWriter();
  const profile = internedProfile(new Interner(), source, samples);
  const form = learnWrittenForm(writer, source, samples, profile);
  if (form === undefined) return undefined;
  expect(form.skeleton[0]).toBe(WRITER.tables);
  expect(Buffer.compare(writer.write(profile, form), raw)).toBe(0);
  return form.orders.length;
}

test.each([
  ["google/pprof", "written/google-written-cpu", 0],
  ["google/pprof", "written/google-written-heap", 0],
  ["google/pprof after a merge", "written/google-merged-cpu", 0],
  ["async-profiler", "written/async-profiler", 0],
  ["async-profiler, with threads as labels", "written/async-profiler-threads", 0],
  ["async-profiler, allocations", "written/async-profiler-alloc", 0],
  ["@datadog/pprof, heap", "written/datadog-heap-2", 0],
  // The function that starts the profiler is in its tables and in no stack.
  ["@datadog/pprof, wall", "written/datadog-wall-1", 130],
  ["@datadog/pprof, wall with labels", "written/datadog-wall-4", 130],
  // Its strings stand in the order of a hash table, and some are system names of functions that it left out.
  ["pprof-rs", "written/pprof-rs-cpu-1", 1300],
  ["pprof-rs", "written/pprof-rs-cpu-2", 1300],
  // Each node of the call tree has a location of its own, numbered as V8 does.
  ["pprof-format, one location per node", "recorded/node-cpu-1", 250],
])("%s: %s is written again exactly, with at most %i bytes of orders", (_, path, bytes) => {
  expect(orderBytes(read(path))).toBeLessThanOrEqual(bytes);
});

test("async-profiler's converter up to 3.0 mixes strings and locations: its bytes are kept", () => {
  expect(orderBytes(read("written/jfr2pprof"))).toBeUndefined();
});

test("the order of Pyroscope's tables is written again exactly", () => {
  for (const path of ["recorded/go-cpu-1", "recorded/go-heap-1", "recorded/go-goroutine-2"]) {
    expect(orderBytes(asPyroscopeWrites(decodeProfile(read(path)))), path).toBeLessThan(3000);
  }
});

test("the order of Parca's tables is written again exactly", () => {
  for (const path of ["recorded/go-cpu-1", "recorded/go-heap-1", "recorded/go-goroutine-2"]) {
    expect(orderBytes(asParcaWrites(decodeProfile(read(path)), 0)), path).toBeLessThan(3000);
  }
});

test("the standard encoding of Go's tables needs no orders but those of strings", () => {
  expect(orderBytes(encodeProfile(decodeProfile(read("recorded/go-cpu-3"))))).toBeLessThan(20);
});
