// What a server has, newest first, by the contract's JSON.

export interface ListedProfile {
  id: string;
  service: string;
  profileType: string;
  labels: Record<string, string>;
  startTime: string;
  startTimeSource: string;
  receiveTime: string;
}

/** At most 1000. */
export async function listProfiles(url: string, selector: string): Promise<ListedProfile[]> {
  const answer = await fetch(`${url}/profusion.v1.ProfileService/ListProfiles`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ selector, pageSize: 1000 }),
  });
  const { profiles = [] } = (await answer.json()) as { profiles?: Record<string, unknown>[] };
  return profiles.map(({ labels = [], ...rest }) => ({
    ...rest,
    labels: Object.fromEntries((labels as { name: string; value: string }[]).map(({ name, value }) => [name, value])),
  })) as unknown as ListedProfile[];
}
