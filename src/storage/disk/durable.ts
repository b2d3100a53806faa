// Names that survive a power loss: an entry of a folder is durable once the folder was synced, whatever became of the file.

import { closeSync, fsyncSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "./make-folder.ts";

/** Makes the entries of `folder` durable: files made, renamed or unlinked in it. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** As syncFolder, for a thread that has nothing else to do. */
export function syncFolderNow(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes `folder`, and every folder above it that is absent, durably. */
export async function makeDurableFolder(folder: string): Promise<void> {
  for (const made of makeFolder(folder).reverse()) await syncFolder(dirname(made));
}
