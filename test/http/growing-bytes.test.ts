// Bodies in small pieces, and the array that gathers them.

import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readBody } from "../../src/http/body.ts";
import { ByteBudget } from "../../src/http/byte-budget.ts";
import type { Exchange } from "../../src/http/exchange.ts";
import { GrowingBytes } from "../../src/http/growing-bytes.ts";
import { measuredPieces, onePerByte } from "../support/piece-memory.ts";
import { Random } from "../support/random.ts";

const PIECES = 200_000;

test("a body in pieces of one byte takes little more memory than its bytes", async () => {
  let grownBytes = Number.NaN;
  const pieces = measuredPieces(onePerByte(PIECES), (bytes) => {
    grownBytes = bytes;
  });
  const request = Object.assign(Readable.from(pieces, { objectMode: false }), { headers: {}, complete: true });
  const exchange = { request, requestBytes: 0, signal: new AbortController().signal } as unknown as Exchange;
  using body = await readBody(exchange, PIECES, new ByteBudget(PIECES, 0));
  expect([body.bytes.length, body.bytes[1000]]).toEqual([PIECES, 1000 & 255]);
  expect(body.bytes.buffer.byteLength).toBe(PIECES);
  expect(grownBytes).toBeLessThan(PIECES * 20);
});

test("what is taken is what was pushed, however it was cut, and is nobody else's afterwards", () => {
  const seed = Date.now() >>> 0;
  const random = new Random(seed);
  const gathered = new GrowingBytes();
  const pushed: number[] = [];
  const taken: Uint8Array[] = [];
  for (let round = 0; round < 500; round++) {
    const piece = Uint8Array.from({ length: random.chance(0.3) ? random.between(0, 9000) : random.between(0, 9) }, () =>
      random.between(0, 255),
    );
    pushed.push(...piece);
    gathered.push(piece);
    if (random.chance(0.3)) taken.push(gathered.take(random.between(0, gathered.length)));
  }
  expect(gathered.length).toBe(pushed.length - taken.reduce((sum, { length }) => sum + length, 0));
  taken.push(gathered.takeAll());
  expect(Buffer.concat(taken).equals(Uint8Array.from(pushed)), `seed ${seed}`).toBe(true);
});

test("a single piece is handed on as it is", () => {
  const gathered = new GrowingBytes();
  const piece = Buffer.alloc(100_000, 1);
  gathered.push(piece);
  expect(gathered.takeAll().buffer).toBe(piece.buffer);
});
