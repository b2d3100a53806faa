// Damages a file by one bit, for tests of what happens then.

import { open } from "node:fs/promises";

export async function flipByte(path: string, offset: number): Promise<void> {
  await using handle = await open(path, "r+");
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, offset);
  buffer[0]! ^= 1;
  await handle.write(buffer, 0, 1, offset);
}
