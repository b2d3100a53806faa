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

const SENDERS = 8;
const HOURS = 24;
/** Four services, one of them with heap, goroutine and mutex profiles beside CPU; of each instance and type one in half an hour. */
const FLEET = { seed: 24, hours: HOURS, instances: 3, perInstance: 2 * HOURS };
const TYPES = ["cpu", "heap", "goroutine", "mutex"];
/** Who asks again within it sends the same profiles, which are there already. */
const STEP_NS = 600_000n * NS_PER_MS;
const DAY_NS = BigInt(HOURS) * 3_600_000n * NS_PER_MS;

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
    .description("load a day of a small fleet into a running server, some 1000 profiles up to now, and say what to try")
    .action(demo);
  addClientOptions(command);
  addOutputOptions(command, "say nothing");
  addExample(command, "profusion demo", "profusion demo --server http://profusion.example:10100");
}

async function demo(options: DemoOptions): Promise<void> {
  const connection = await connect(options);
  const startedMs = performance.now();
  const loaded = await load(connection.profiles);
  const { profiles, alreadyThere, services, startNs, endNs } = loaded;
  const commands = nextCommands(connection.server);
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

async function load(client: Connection["profiles"]): Promise<Loaded> {
  const endNs = ((BigInt(Date.now()) * NS_PER_MS) / STEP_NS) * STEP_NS;
  const startNs = endNs - DAY_NS;
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
      if (await send(client, profile)) alreadyThere++;
      profiles++;
    }
  };
  // They share the fleet: each takes the next profile when it has sent one.
  await Promise.all(Array.from({ length: SENDERS }, sendAll));
  const services = [...new Set(builds.map(({ service }) => service))];
  return { profiles, alreadyThere, services, startNs, endNs };
}

/** Whether it was there already. */
async function send(client: Connection["profiles"], profile: FleetProfile): Promise<boolean> {
  const { service, type: profileType, labels, bytes } = profile;
  const { gzip } = await import("node:zlib");
  const profileBytes = await promisify(gzip)(bytes, { level: 1 });
  const metadata = { service, profileType, labels: [...labels] };
  return (await client.createProfile({ metadata, profileBytes })).alreadyExisted;
}

/** Half of the day had one version of every service, the other half the next one. */
function nextCommands(server: string): string[] {
  const to = server === DEFAULT_SERVER ? "" : ` --server ${server}`;
  return [
    `profusion services${to}`,
    `profusion top 'cpu{service="api"}' --last 25h${to}`,
    `profusion list 'heap{service="api",instance="i1"}' --last 2h${to}`,
    `profusion merge 'cpu{service="web"}' --last 25h -o web.pb.gz${to}`,
    `profusion pprof 'cpu{service="api",version="1.1.0"}' --last 25h --diff-base 'cpu{service="api",version="1.0.0"}'${to} -- -top`,
  ];
}

function rfc3339(timeNs: bigint): string {
  return new Date(Number(timeNs / NS_PER_MS)).toISOString();
}
