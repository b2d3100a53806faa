import { describe, expect, test } from "vitest";
import { Gate } from "../../src/repository/gate.ts";

const never = new AbortController().signal;

describe("Gate", () => {
  test("lets so many in, the others in the order they came", async () => {
    const gate = new Gate(1, 8, "merges");
    const order: string[] = [];
    const inLine = async (name: string) => {
      const turn = await gate.enter(never);
      order.push(name);
      return turn;
    };
    const first = await gate.enter(never);
    const second = inLine("second");
    const third = inLine("third");
    expect(gate.waiting).toBe(2);
    first[Symbol.dispose]();
    (await second)[Symbol.dispose]();
    (await third)[Symbol.dispose]();
    expect(order).toEqual(["second", "third"]);
    expect(gate.running).toBe(0);
  });

  test("turns away with `exhausted` whoever would make the line longer than its limit", async () => {
    const gate = new Gate(1, 1, "merges");
    using _first = await gate.enter(never);
    const waiting = new AbortController();
    const second = gate.enter(waiting.signal);
    await expect(gate.enter(never)).rejects.toMatchObject({
      kind: "exhausted",
      message: expect.stringContaining("merges"),
    });
    waiting.abort();
    await expect(second).rejects.toMatchObject({ kind: "cancelled" });
  });

  test("forgets whoever leaves the line, and a turn ends once however often it is disposed", async () => {
    const gate = new Gate(1, 8, "merges");
    const first = await gate.enter(never);
    const leaver = new AbortController();
    const second = gate.enter(leaver.signal);
    leaver.abort();
    await expect(second).rejects.toMatchObject({ kind: "cancelled" });
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect([gate.running, gate.waiting]).toEqual([0, 0]);
    using _next = await gate.enter(never);
    expect(gate.running).toBe(1);
  });
});
