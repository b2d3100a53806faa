// `profusion import`: its verbs and options. What they mean is src/cli/import/; what speaks to a store is loaded when it is asked for.

import { type Command, Option } from "commander";
import type { Label } from "../model/labels.ts";
import { addClientOptions, type ClientOptions } from "./client-options.ts";
import { addExample } from "./example.ts";
import type { Layout } from "./import/layouts.ts";
import type { Store } from "./import/store.ts";
import { parseLabel } from "./label-option.ts";
import { addOutputOptions, type OutputOptions } from "./output.ts";
import { repeated } from "./repeated.ts";
import { addSendingOptions, type SendingOptions } from "./sending-options.ts";

export interface ImportOptions extends ClientOptions, OutputOptions, SendingOptions {
  layout?: Layout;
  service?: string;
  type?: string;
  label?: Label[];
}

/** As src/cli/import/layouts.ts has them, which is not loaded for help. */
const LAYOUTS: readonly Layout[] = ["pgolib", "profefe", "pgo-fleet", "autopgo"];

export function addImport(program: Command): void {
  const command = program
    .command("import")
    .description("take over what pgolib, profefe, pgo-fleet and autopgo have stored; a second run imports nothing");
  addDir(command);
  addS3(command);
  addGcs(command);
  addRedis(command);
}

function addDir(parent: Command): void {
  const command = parent
    .command("dir")
    .description("import the files of a folder and of those below it")
    .argument("<folder>", "pgolib's or pgo-fleet's folder, or the copy of a bucket");
  addImportOptions(command);
  addExample(
    command,
    "profusion import dir /var/lib/pgo-fleet/profiles --service shop",
    "profusion import dir ./profiles --layout pgolib --dry-run",
  );
  command.action(async (folder: string, options: ImportOptions) => {
    const { openFolder } = await import("./import/folder-store.ts");
    await importInto(() => openFolder(folder), options);
  });
}

const S3_HELP = `
Who asks and in which region is found as the AWS command line finds it:
AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, a role of the machine.
AWS_ENDPOINT_URL names another server than Amazon's, as --endpoint does.`;

function addS3(parent: Command): void {
  const command = parent
    .command("s3")
    .description("import the objects of a bucket of S3, or of a server that speaks like it")
    .argument("<url>", "s3://BUCKET or s3://BUCKET/PREFIX")
    .option("--endpoint <url>", "a server that is not Amazon's (AWS_ENDPOINT_URL)")
    .option("--region <name>", "the bucket's region (AWS_REGION)");
  addImportOptions(command).addHelpText("after", S3_HELP);
  addExample(
    command,
    "profusion import s3 s3://profefe-profiles",
    "profusion import s3 s3://pgo/profile/ --service shop",
  );
  command.action(async (url: string, options: ImportOptions & { endpoint?: string; region?: string }) => {
    const { openS3 } = await import("./import/s3-store.ts");
    await importInto(() => openS3(url, options), options);
  });
}

const GCS_HELP = `
Who asks is told by GOOGLE_OAUTH_ACCESS_TOKEN, else by Google's default
credentials: the file that GOOGLE_APPLICATION_CREDENTIALS names, what
\`gcloud auth application-default login\` has kept, the machine's account.
STORAGE_EMULATOR_HOST names an emulator, which is asked without any.`;

function addGcs(parent: Command): void {
  const command = parent
    .command("gcs")
    .description("import the objects of a bucket of Google Cloud Storage")
    .argument("<url>", "gs://BUCKET or gs://BUCKET/PREFIX")
    .option("--endpoint <url>", "a server in the place of Google's, such as a private one");
  addImportOptions(command).addHelpText("after", GCS_HELP);
  addExample(command, "profusion import gcs gs://profefe-profiles --label imported=true");
  command.action(async (url: string, options: ImportOptions & { endpoint?: string }) => {
    const { openGcs } = await import("./import/gcs-store.ts");
    await importInto(() => openGcs(url, options), options);
  });
}

const REDIS_HELP = `
A URL with a password is taken from REDIS_URL alone, since everybody who lists
processes sees arguments; rediss:// is TLS. Of a cluster each primary is asked by
itself. What else is there and has such names is refused and named: --match
leaves it out.`;

function addRedis(parent: Command): void {
  const command = parent
    .command("redis")
    .description("import the values of a Redis")
    .argument("[url]", "redis://HOST:PORT/DATABASE (REDIS_URL; default redis://127.0.0.1:6379)")
    .option("--match <pattern>", "only keys like this one, as SCAN takes it (default *:*:*)");
  addImportOptions(command).addHelpText("after", REDIS_HELP);
  addExample(command, "profusion import redis redis://10.0.0.7:6379 --match 'prod:shop:*'");
  command.action(async (url: string | undefined, options: ImportOptions & { match?: string }) => {
    const { openRedis } = await import("./import/redis-store.ts");
    await importInto(() => openRedis(url, options.match), options);
  });
}

const MORE_HELP = `
Names tell what is stored, and when it was made, to the nanosecond that they
have; that of a file or an object is no profile's. A profile that is imported
again is the same one, and what was acknowledged before an import was cut off is
kept in $XDG_STATE_HOME/profusion/import until it comes to its end.

  pgolib     APP-MS.pprof, PREFIX/PREFIX/-MS.pprof, NAMESPACE:APP:MS
  profefe    P0.SERVICE/TYPE/XID,LABELS
  pgo-fleet  MS_COUNTER.pgo, and the newest merged_MS_COUNTER.pgo
  autopgo    APP/default.pgo, and what of APP/staging/NS is newer than it

Of a sum and what is, or may be, in it the sum is imported; the rest is named.`;

function addImportOptions(command: Command): Command {
  command
    .addOption(new Option("--layout <name>", "what the names are (default: each as it looks)").choices(LAYOUTS))
    .option("--service <name>", "of every profile, whatever its name tells")
    .option("--type <type>", "likewise; default: what the name tells, else its columns")
    .option("--label <name=value>", "another label of the profiles; may be repeated", repeated(parseLabel));
  addSendingOptions(command);
  addClientOptions(command);
  return addOutputOptions(command, "no progress, table, notes or warnings").addHelpText("after", MORE_HELP);
}

async function importInto(openStore: () => Promise<Store> | Store, options: ImportOptions): Promise<void> {
  const { importFrom } = await import("./import/import.ts");
  await importFrom(openStore, options);
}
