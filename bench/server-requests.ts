// What rows ask of a running server, as its users would: merges over the download API, packing over the contract's JSON.

export interface TimedMerge {
  ms: number;
  body: Uint8Array;
}

/** A merge by `/api/0`. Throws where the answer is not the merge of exactly `expected` profiles. */
export async function timedMerge(
  url: string,
  selection: Record<string, string>,
  expected: number,
): Promise<TimedMerge> {
  const startedMs = performance.now();
  const answer = await fetch(`${url}/api/0/profiles/merge?${new URLSearchParams(selection)}`);
  const body = new Uint8Array(await answer.arrayBuffer());
  const ms = performance.now() - startedMs;
  const merged = answer.headers.get("profusion-merged");
  if (answer.ok && merged === String(expected)) return { ms, body };
  const text = answer.ok ? `${merged} of ${expected} profiles` : Buffer.from(body).toString("utf8").slice(0, 300);
  throw new Error(`the merge answered ${answer.status}: ${text}`);
}

interface Operation {
  id: string;
  done?: boolean;
  error?: { message: string };
  pack?: { packedProfiles?: string; refusedProfiles?: string };
}

/** Packs all that is loose, as `profusion pack now` does, and waits. Throws where that is not `expected` profiles, or more that came meanwhile. */
export async function packNow(url: string, expected: number): Promise<void> {
  let { operation } = await callAdmin<{ operation: Operation }>(url, "Pack", {});
  while (!operation.done) {
    ({ operation } = await callAdmin<{ operation: Operation }>(url, "GetOperation", {
      id: operation.id,
      maxWait: "30s",
    }));
  }
  if (operation.pack === undefined) throw new Error(`packing failed: ${operation.error?.message}`);
  const { packedProfiles = "0", refusedProfiles = "0" } = operation.pack;
  if (Number(packedProfiles) < expected) {
    throw new Error(`${packedProfiles} of ${expected} profiles were packed, ${refusedProfiles} refused`);
  }
}

/** What is in packs now. */
export async function packedCounts(url: string): Promise<{ packedProfiles: number; packs: number; packBytes: number }> {
  const { packs } = await callAdmin<{ packs: Record<string, string> }>(url, "GetStatus", {});
  const { packedProfiles = 0, packCount = 0, packBytes = 0 } = packs;
  return { packedProfiles: Number(packedProfiles), packs: Number(packCount), packBytes: Number(packBytes) };
}

async function callAdmin<Answer>(url: string, method: string, request: unknown): Promise<Answer> {
  const answer = await fetch(`${url}/profusion.v1.AdminService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  if (!answer.ok) throw new Error(`${method} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Answer;
}
