// The verbs: what help says of each, in its order, and the file where it lives, which is loaded when the verb is asked for.

import type { Command } from "commander";

interface VerbFile {
  group: string;
  /** By name. The verb's own help says more. */
  summaries: Readonly<Record<string, string>>;
  load: () => Promise<(program: Command) => void>;
}

const SERVER = "Server:";
const PROFILES = "Profiles:";
const NUMBERS = "Names and numbers:";
const SELF = "This command:";

export const VERB_FILES: readonly VerbFile[] = [
  {
    group: SERVER,
    summaries: { serve: "run the server" },
    load: async () => {
      const { addServe } = await import("./serve.ts");
      return (program) => addServe(program, program.version()!);
    },
  },
  {
    group: SERVER,
    summaries: { relay: "take uploads for a server that is elsewhere or away, and send them on" },
    load: async () => (await import("./relay.ts")).addRelay,
  },
  {
    group: SERVER,
    summaries: { config: "check, print and describe the server's settings" },
    load: async () => (await import("./config/command.ts")).addConfig,
  },
  {
    group: SERVER,
    summaries: { pack: "pack by hand, verify packs", status: "tell what the server holds" },
    load: async () => (await import("./pack.ts")).addPack,
  },
  {
    group: SERVER,
    summaries: { key: "make keys for a server, take them away" },
    load: async () => (await import("./key/command.ts")).addKey,
  },
  {
    group: SERVER,
    summaries: { demo: "load a day of a small fleet, to have something to look at" },
    load: async () => (await import("./demo.ts")).addDemo,
  },
  {
    group: PROFILES,
    summaries: { push: "upload profiles: files, folders, stdin, running programs" },
    load: async () => (await import("./push.ts")).addPush,
  },
  {
    group: PROFILES,
    summaries: { import: "take over what other systems have stored: folders, buckets, Redis" },
    load: async () => (await import("./import.ts")).addImport,
  },
  {
    group: PROFILES,
    summaries: { list: "list the profiles that match" },
    load: async () => (await import("./list.ts")).addList,
  },
  {
    group: PROFILES,
    summaries: { get: "tell what is known of a profile, or fetch its bytes" },
    load: async () => (await import("./get.ts")).addGet,
  },
  {
    group: PROFILES,
    summaries: { merge: "fetch the merge of all profiles that match" },
    load: async () => (await import("./merge.ts")).addMerge,
  },
  {
    group: PROFILES,
    summaries: { top: "rank functions, lines, files and more by what they take" },
    load: async () => (await import("./top.ts")).addTop,
  },
  {
    group: PROFILES,
    summaries: { pprof: "run `go tool pprof` on a selection, or on two" },
    load: async () => (await import("./pprof.ts")).addPprof,
  },
  {
    group: PROFILES,
    summaries: { open: "open a selection in the browser" },
    load: async () => (await import("./open.ts")).addOpen,
  },
  {
    group: PROFILES,
    summaries: { delete: "delete the profiles that match, after a question" },
    load: async () => (await import("./delete.ts")).addDelete,
  },
  {
    group: PROFILES,
    summaries: { pgo: "profiles for `go build -pgo`: fetch, judge, publish" },
    load: async () => (await import("./pgo/command.ts")).addPgo,
  },
  {
    group: PROFILES,
    summaries: { kube: "profiles of pods: capture them, get them, load files" },
    load: async () => (await import("./kube/command.ts")).addKube,
  },
  {
    group: NUMBERS,
    summaries: {
      services: "list services",
      types: "list types of profiles",
      labels: "list names of labels, or the values of one",
    },
    load: async () => (await import("./names.ts")).addNames,
  },
  {
    group: NUMBERS,
    summaries: { usage: "tell what each service and type takes on the disk" },
    load: async () => (await import("./usage.ts")).addUsage,
  },
  {
    group: SELF,
    summaries: { context: "name servers and their keys" },
    load: async () => (await import("./context.ts")).addContext,
  },
  {
    group: SELF,
    summaries: { completion: "print what bash, zsh or fish need to complete words" },
    load: async () => (await import("./completion.ts")).addCompletion,
  },
];
