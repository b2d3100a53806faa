// What V8's samplers say, of CPU and of the heap, as profiles: the trees of calls that its inspector hands out. The server's profiles of itself
// are made here (src/self-profile.ts); Node programs that send pprof have converters of their own.

import { emptyProfile, type Profile } from "./profile.ts";

/** A function. Lines and columns count from 0; -1: unknown. */
export interface V8CallFrame {
  functionName: string;
  /** "" of what is no script: native code, garbage collection. */
  url: string;
  lineNumber: number;
  columnNumber: number;
}

export interface V8CpuNode {
  id: number;
  callFrame: V8CallFrame;
  hitCount?: number | undefined;
  /** Ids. */
  children?: number[] | undefined;
  /** Where in the function the hits were; lines count from 1. */
  positionTicks?: { line: number; ticks: number }[] | undefined;
}

/** Times are microseconds of a clock of V8's own. */
export interface V8CpuProfile {
  nodes: V8CpuNode[];
  startTime: number;
  endTime: number;
}

export interface V8HeapNode {
  callFrame: V8CallFrame;
  /** Estimated bytes that this call allocated and that are alive. */
  selfSize: number;
  children: V8HeapNode[];
}

/** A thread that waits uses no CPU; the root is no function. */
const NOT_CPU = new Set(["(idle)", "(root)"]);
const NS_PER_US = 1_000n;

/**
 * Columns samples/count and cpu/nanoseconds, as Go writes them. V8 tells the line of what was running; callers have the line on which their
 * function begins.
 */
export function cpuProfileOfV8({ nodes, startTime, endTime }: V8CpuProfile, timeNs: bigint, periodNs: bigint): Profile {
  const profile = new V8Profile();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  for (const node of nodes) {
    const { hitCount = 0, positionTicks = [], callFrame } = node;
    if (hitCount === 0 || NOT_CPU.has(callFrame.functionName)) continue;
    const stack: V8CallFrame[] = [];
    for (let id = callers.get(node.id); id !== undefined; id = callers.get(id)) stack.push(byId.get(id)!.callFrame);
    const placed = positionTicks.reduce((sum, { ticks }) => sum + ticks, 0);
    for (const { line, ticks } of [...positionTicks, { line: undefined, ticks: hitCount - placed }]) {
      if (ticks > 0) profile.add([BigInt(ticks), BigInt(ticks) * periodNs], callFrame, line, stack);
    }
  }
  return {
    ...profile.tables,
    sampleTypes: [
      { type: "samples", unit: "count" },
      { type: "cpu", unit: "nanoseconds" },
    ],
    periodType: { type: "cpu", unit: "nanoseconds" },
    period: periodNs,
    timeNs,
    durationNs: BigInt(Math.round(endTime - startTime)) * NS_PER_US,
    defaultSampleType: "cpu",
  };
}

/** One column, inuse_space/bytes: how many objects there are, V8 does not tell. `periodBytes`: one sample in so many. */
export function heapProfileOfV8(head: V8HeapNode, timeNs: bigint, periodBytes: bigint): Profile {
  const profile = new V8Profile();
  const waiting: { node: V8HeapNode; stack: V8CallFrame[] }[] = [{ node: head, stack: [] }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { callFrame, selfSize, children } = next.node;
    if (selfSize > 0) profile.add([BigInt(Math.round(selfSize))], callFrame, undefined, next.stack);
    const stack = [callFrame, ...next.stack];
    for (const node of children) waiting.push({ node, stack });
  }
  return {
    ...profile.tables,
    sampleTypes: [{ type: "inuse_space", unit: "bytes" }],
    periodType: { type: "space", unit: "bytes" },
    period: periodBytes,
    timeNs,
    defaultSampleType: "inuse_space",
  };
}

/** Gathers samples with the tables that they need. */
class V8Profile {
  readonly tables = emptyProfile();
  readonly #functions = new Map<string, bigint>();
  readonly #locations = new Map<string, bigint>();

  /** `callers`: the nearest first. `line`: of what was running, from 1. */
  add(values: bigint[], running: V8CallFrame, line: number | undefined, callers: readonly V8CallFrame[]): void {
    const frames = callers.filter(({ functionName }) => functionName !== "(root)");
    const locationIds = [this.#location(running, line), ...frames.map((frame) => this.#location(frame))];
    this.tables.samples.push({ locationIds, values, labels: [] });
  }

  #location(frame: V8CallFrame, line = frame.lineNumber + 1): bigint {
    const functionId = this.#function(frame);
    return idOf(this.#locations, `${functionId} ${line}`, (id) => {
      const lines = [{ functionId, line: BigInt(line), column: 0n }];
      this.tables.locations.push({ id, mappingId: 0n, address: 0n, lines, isFolded: false });
    });
  }

  #function({ functionName, url, lineNumber, columnNumber }: V8CallFrame): bigint {
    return idOf(this.#functions, JSON.stringify([functionName, url, lineNumber, columnNumber]), (id) => {
      const file = url.startsWith("file:") ? decodeURIComponent(new URL(url).pathname) : url;
      const startLine = lineNumber + 1;
      // Viewers add up what has one name.
      const place = file === "" ? "" : ` ${file.replace(/^.*\//, "")}:${startLine}`;
      const name = functionName || `(anonymous${place})`;
      this.tables.functions.push({ id, name, systemName: name, file, startLine: BigInt(startLine) });
    });
  }
}

function idOf(known: Map<string, bigint>, key: string, make: (id: bigint) => void): bigint {
  const found = known.get(key);
  if (found !== undefined) return found;
  const id = BigInt(known.size + 1);
  known.set(key, id);
  make(id);
  return id;
}
