// What Go's runtime wrote is written again byte for byte, from nothing but the rows' order and a skeleton of a few bytes.

import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { learnWrittenForm } from "../../../src/pack/exact/learn.ts";
import { ProfileWriter, WRITER } from "../../../src/pack/exact/profile-writer.ts";
import { Interner } from "../../../src/pprof/interner.ts";
import { internedProfile } from "./interned-profile.ts";
import { loaded } from "./loaded.ts";

const FOLDERS = ["../../testdata/recorded/", "../../../bench/testdata/seed/"];

const files = FOLDERS.flatMap((folder) => {
  const url = new URL(folder, import.meta.url);
  const names = readdirSync(url, { recursive: true }) as string[];
  return names.filter((name) => /^(?!node).*\.pb\.gz$/.test(name)).map((name) => new URL(name, url));
});

test("every profile of Go's runtime is written again exactly, without orders", () => {
  const interner = new Interner();
  const writer = new ProfileWriter();
  expect(files.length).toBeGreaterThan(80);
  for (const file of files) {
    const raw = gunzipSync(readFileSync(file));
    const { source, samples } = loaded(raw);
    const profile = internedProfile(interner, source, samples);
    const form = learnWrittenForm(writer, source, samples, profile);
    expect(form?.skeleton[0], file.pathname).toBe(WRITER.goRuntime);
    expect(form?.orders).toHaveLength(0);
    expect(form?.skeleton.length).toBeLessThan(16);
    expect(Buffer.compare(writer.write(profile, form!), raw), file.pathname).toBe(0);
  }
});
