// Speaks to the Go program test/go/cmd/oracle, which answers what google/pprof does. Needs Go: for test/e2e only.

import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

export interface OracleMerge {
  digest: string;
  text: string;
  attributes: string;
  /** The uncompressed protobuf that google/pprof writes. */
  bytes: Uint8Array;
}

interface Answer {
  error?: string;
  digest?: string;
  text?: string;
  attributes?: string;
  bytes?: string;
}

/** Builds the program (the build cache makes a second time cheap) and starts it. */
export function startOracle(): Oracle {
  return new Oracle(buildGo("oracle"));
}

/** Builds test/go/cmd/`name` and answers the path of the program. */
export function buildGo(name: string): string {
  const program = fileURLToPath(new URL(`../.cache/${name}`, import.meta.url));
  const folder = fileURLToPath(new URL("../go", import.meta.url));
  execFileSync("go", ["build", "-o", program, `./cmd/${name}`], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
  });
  return program;
}

export class Oracle implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #replies: AsyncIterator<Buffer>;

  constructor(program: string) {
    this.#child = spawn(program, ["serve"], { stdio: ["pipe", "pipe", "inherit"] });
    this.#replies = readFrames(this.#child.stdout);
  }

  /** For each body, gzip, raw or legacy: undefined when google/pprof accepts it, else its message. */
  async check(bodies: readonly Uint8Array[]): Promise<(string | undefined)[]> {
    return (await this.#ask("c", bodies)).map((answer) => answer.error);
  }

  /** As `check`, of the protobuf alone: no gzip, no legacy format. */
  async checkProto(raws: readonly Uint8Array[]): Promise<(string | undefined)[]> {
    return (await this.#ask("p", raws)).map((answer) => answer.error);
  }

  /** The normal form's digest of each protobuf merged alone, or undefined where it is rejected. */
  async foldDigests(raws: readonly Uint8Array[]): Promise<(string | undefined)[]> {
    return (await this.#ask("f", raws)).map((answer) => answer.digest);
  }

  /** The normal form of one body as it stands. Throws when google/pprof rejects it. */
  async normal(body: Uint8Array): Promise<Omit<OracleMerge, "bytes">> {
    const [answer] = await this.#ask("n", [body]);
    return accepted(answer);
  }

  /** Throws when google/pprof refuses to parse or to merge. */
  async merge(bodies: readonly Uint8Array[]): Promise<OracleMerge> {
    const [answer] = await this.#ask("m", bodies);
    return { ...accepted(answer), bytes: Buffer.from(answer?.bytes ?? "", "base64") };
  }

  /** The normal form of what Prune leaves of an uncompressed protobuf; `keep` "" for none. */
  async prune(drop: string, keep: string, raw: Uint8Array): Promise<Omit<OracleMerge, "bytes">> {
    const [answer] = await this.#ask("x", [Buffer.from(drop), Buffer.from(keep), raw]);
    return accepted(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }

  async #ask(verb: string, items: readonly Uint8Array[]): Promise<Answer[]> {
    const framed = items.flatMap((item) => [uint32(item.length), item]);
    const payload = Buffer.concat([Buffer.from(verb), ...framed]);
    this.#child.stdin.write(Buffer.concat([uint32(payload.length), payload]));
    const reply = await this.#replies.next();
    if (reply.done) throw new Error("The oracle ended before it answered");
    return JSON.parse(reply.value.toString()) as Answer[];
  }
}

function accepted(answer: Answer | undefined): Omit<OracleMerge, "bytes"> {
  if (answer?.error !== undefined) throw new Error(`google/pprof: ${answer.error}`);
  return { digest: answer?.digest ?? "", text: answer?.text ?? "", attributes: answer?.attributes ?? "" };
}

async function* readFrames(stream: Readable): AsyncGenerator<Buffer, void> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    parts.push(chunk);
    held += chunk.length;
    while (held >= 4) {
      const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      parts = [whole];
      const end = 4 + whole.readUInt32LE();
      if (held < end) break;
      yield whole.subarray(4, end);
      parts = [whole.subarray(end)];
      held -= end;
    }
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
