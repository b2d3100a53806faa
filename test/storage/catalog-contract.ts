// What every catalog promises. A driver's test file calls this with a way to open one; durable drivers have tests of their own besides.

import { afterEach, beforeEach, describe } from "vitest";
import type { Catalog } from "../../src/storage/catalog.ts";
import { CatalogUnderTest } from "../support/catalog-under-test.ts";
import { deletionContract } from "./catalog-contract/deletion.ts";
import { findContract } from "./catalog-contract/find.ts";
import { insertContract } from "./catalog-contract/insert.ts";
import { listsContract } from "./catalog-contract/lists.ts";
import { mergeInputsContract } from "./catalog-contract/merge-inputs.ts";
import { packsContract } from "./catalog-contract/packs.ts";
import { pgoContract } from "./catalog-contract/pgo.ts";
import { segmentsContract } from "./catalog-contract/segments.ts";

export function catalogContract(
  driver: string,
  open: () => Promise<{ catalog: Catalog; close: () => Promise<void> }>,
): void {
  describe(`${driver} catalog`, () => {
    const under = new CatalogUnderTest();
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ catalog: under.catalog, close } = await open());
    });
    afterEach(() => close());

    insertContract(under);
    findContract(under);
    mergeInputsContract(under);
    deletionContract(under);
    listsContract(under);
    segmentsContract(under);
    packsContract(under);
    pgoContract(under);
  });
}
