import { describe, expect, test } from "vitest";
import { StorageThread } from "../../src/storage/thread.ts";

/** Reports the argument of "report", throws at "throw", and answers anything else with its argument. */
const ECHO = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", (message) => {
      if (message === "close") return parentPort.close();
      const { requestId, method, argument } = message;
      if (method === "report") parentPort.postMessage({ report: argument });
      if (method === "throw") throw new Error(argument);
      parentPort.postMessage({ requestId, value: argument });
    });
  `)}`,
);

describe("StorageThread", () => {
  test("answers in the order asked, and what the thread reports reaches whom it is for", async () => {
    const reports: string[] = [];
    const thread = new StorageThread(ECHO, undefined, (message) => void reports.push(message));
    expect(
      await Promise.all([thread.request("x", 1), thread.request("report", "heard"), thread.request("x", 3)]),
    ).toEqual([1, "heard", 3]);
    expect(reports).toEqual(["heard"]);
    await thread.close();
  });

  test("its end fails what it was asked and will be asked", async () => {
    const thread = new StorageThread(ECHO, undefined);
    await expect(thread.request("throw", "a bug")).rejects.toMatchObject({ kind: "unavailable" });
    await expect(thread.request("x", 1)).rejects.toMatchObject({ kind: "unavailable" });
    await thread.close();
  });
});
