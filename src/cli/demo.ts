// `profusion demo`: loads a day of a small fleet into a running server, to have something to look at. What the fleet is made of is src/fleet/;
// the profiles that it is drawn from come with the package.

import { promisify } from "node:util";
import type { Command } from "commander";
import type { FleetProfile } from "../fleet/fleet.ts";
import { NS_PER_MS } from "../model/time.ts";
import { addClientOptions, type ClientOptions, DEFAULT_SERVER } from "./client-options.ts";
import { type Connection, connect } from "./connection.ts";
import { addExample } from "./example.ts";
import { formatLocalTime, zoneName } from "./local-time.ts";
import { addOutputOptions, answer, answerJson, note, type OutputOptions } from "./output.ts";
import { packageFile } from "./package-file.ts";
import { intervalOf } from "./selection-options.ts";

const SENDERS = 8;
const HOURS = 24;
/** Four services, one of them with heap, goroutine and mutex profiles beside CPU; of each instance and type one in half an hour. */
const FLEET = { seed: 24, hours: HOURS, instances: 3, perInstance: 2 * HOURS };
const TYPES = ["cpu", "heap", "goroutine", "mutex"];
/** The day begins and ends at a full one: its label is short. */
const STEP_NS = 600_000n * NS_PER_MS;
const HOUR_NS = 3_600_000n * NS_PER_MS;
const DAY_NS = BigInt(HOURS) * HOUR_NS;
/** The beginning of the day that a profile belongs to: by it a second run finds the day of the first, and no sum doubles. */
const DAY_LABEL = "demo_day";

interface DemoOptions extends ClientOptions, OutputOptions {}

interface Loaded {
  profiles: number;
  /** Of them; they were sent before. */
  alreadyThere: number;
  services: string[];
  startNs: bigint;
  endNs: bigint;
}

export function addDemo(program: Command): void {
  const command = program
    .command("demo")
    .description(
      "load a day of a small fleet into a running server, some 1000 profiles up to now, and say what to try; a second run within a day of it adds nothing",
    )
    .action(demo);
  addClientOptions(command);
  addOutputOptions(command, "say nothing");
  addExample(command, "profusion demo", "profusion demo --server http://profusion.example:10100");
}

async function demo(options: DemoOptions): Promise<void> {
  const connection = await connect(options);
  const startedMs = performance.now();
  const loaded = await load(connection);
  const { profiles, alreadyThere, services, startNs, endNs } = loaded;
  const commands = nextCommands(connection.server, startNs);
  if (options.json) {
    answerJson({ profiles, alreadyThere, services, from: rfc3339(startNs), to: rfc3339(endNs), commands });
    return;
  }
  if (options.quiet) return;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  note(
    `${profiles} profiles of ${services.join(", ")} in ${seconds} s, ${alreadyThere} of them were there already`,
    options,
  );
  note(`from ${formatLocalTime(startNs)} to ${formatLocalTime(endNs)} (zone ${zoneName()}). Now try:`, options);
  for (const command of commands) answer(command);
}

async function load({ query, profiles: client }: Connection): Promise<Loaded> {
  const startNs = await startOfDay(query);
  const day = rfc3339(startNs);
  // Loaded here: `--help` needs none of it.
  const [{ fleetInTime }, { readBuilds }] = await Promise.all([
    import("../fleet/fleet.ts"),
    import("../fleet/real-profiles.ts"),
  ]);
  const builds = readBuilds(packageFile("bench/testdata/seed"), TYPES);
  const fleet = fleetInTime({ ...FLEET, builds, startNs });
  let profiles = 0;
  let alreadyThere = 0;
  const sendAll = async () => {
    for (const profile of fleet) {
      if (await send(client, profile, day)) alreadyThere++;
      profiles++;
    }
  };
  // They share the fleet: each takes the next profile when it has sent one.
  await Promise.all(Array.from({ length: SENDERS }, sendAll));
  const services = [...new Set(builds.map(({ service }) => service))];
  return { profiles, alreadyThere, services, startNs, endNs: startNs + DAY_NS };
}

/** That of the day that is there, where it reaches into the day before now; else of the day before now. */
async function startOfDay(query: Connection["query"]): Promise<bigint> {
  const nowNs = BigInt(Date.now()) * NS_PER_MS;
  const interval = intervalOf({ startNs: nowNs - DAY_NS, endNs: nowNs });
  const { labelValues } = await query.listLabelValues({ labelName: DAY_LABEL, interval, pageSize: 1000 });
  const days = labelValues.map(({ name }) => Date.parse(name)).filter((time) => !Number.isNaN(time));
  return days.length > 0 ? BigInt(Math.max(...days)) * NS_PER_MS : (nowNs / STEP_NS) * STEP_NS - DAY_NS;
}

/** Whether it was there already. */
async function send(client: Connection["profiles"], profile: FleetProfile, day: string): Promise<boolean> {
  const { service, type: profileType, labels, bytes } = profile;
  const { gzip } = await import("node:zlib");
  const profileBytes = await promisify(gzip)(bytes, { level: 1 });
  const metadata = { service, profileType, labels: [...labels, { name: DAY_LABEL, value: day }] };
  return (await client.createProfile({ metadata, profileBytes })).alreadyExisted;
}

/** Half of the day had one version of every service, the other half the next one. */
function nextCommands(server: string, startNs: bigint): string[] {
  const hours = Number((BigInt(Date.now()) * NS_PER_MS - startNs) / HOUR_NS) + 1;
  const to = server === DEFAULT_SERVER ? "" : ` --server ${server}`;
  return [
    `profusion services${to}`,
    `profusion top 'cpu{service="api"}' --last ${hours}h${to}`,
    `profusion list 'heap{service="api",instance="i1"}' --last ${hours - HOURS + 1}h${to}`,
    `profusion merge 'cpu{service="web"}' --last ${hours}h -o web.pb.gz${to}`,
    `profusion pprof 'cpu{service="api",version="1.1.0"}' --last ${hours}h --diff-base 'cpu{service="api",version="1.0.0"}'${to} -- -top`,
  ];
}

function rfc3339(timeNs: bigint): string {
  return new Date(Number(timeNs / NS_PER_MS)).toISOString().replace(".000Z", "Z");
}
