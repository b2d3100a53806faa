// Every profile comes out of a pack as it went in, byte for byte, or the pack says that it is damaged.

import { expect, test } from "vitest";
import { ProfileRebuilder } from "../../src/pack/profile-rebuilder.ts";
import { mergeSets } from "../support/merge-digests.ts";
import { byShape, decode, packOf } from "./packing.ts";

test("every generated and recorded profile comes back as it was written", () => {
  for (const [name, raws] of mergeSets()) {
    for (const group of byShape(raws)) {
      const members = group.map((nth) => raws[nth]!);
      const { pack, profiles, tables } = decode(packOf(members));
      const rebuilder = new ProfileRebuilder({ pack, profiles, tables });
      members.forEach((raw, row) => {
        expect(Buffer.compare(rebuilder.rebuild(row), raw), `${name}, profile ${row}`).toBe(0);
      });
    }
  }
});
