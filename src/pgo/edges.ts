// What the Go compiler makes of a profile: call edges and their weights, equal to those of `go tool preprofile` of Go 1.26 (cmd/internal/pgo
// and internal/profile of its sources; test/e2e/oracle-pgo.test.ts). What to do to a profile before is prepare.ts's business.

import type { ValueType } from "../model/shape.ts";
import { compareUtf8 } from "../model/text.ts";
import type { Profile } from "../pprof/profile.ts";
import { type CallChain, CallChains, type CallNode } from "./call-chain.ts";

/** Names are as the profile's: byte strings where it was decoded as such. */
export interface PgoEdge {
  readonly caller: string;
  readonly callee: string;
  /** Line of the call, from the line on which the caller begins. */
  readonly offset: bigint;
  readonly weight: bigint;
}

/** Why `go build` fails on a profile; a caller's name of 64 KiB only makes it lose the edges that follow. */
export type PgoRefusal = "no-column" | "no-start-line" | "unreadable-name";

export interface PgoEdges {
  /** By weight, the largest first, then caller, callee, offset. */
  readonly edges: readonly PgoEdge[];
  readonly totalWeight: bigint;
  /** Whether a sum does not fit int64: the compiler's then wrap, and so do these. */
  readonly isWrapped: boolean;
  /** Of the edges, the weight of samples with a call from a frame that does not say where its function begins: their offsets mean nothing. */
  readonly misplacedWeight: bigint;
  readonly refusal: PgoRefusal | undefined;
}

export const PREPROFILE_HEADER = "GO PREPROFILE V1\n";

/** What the compiler's hot edges make up of the weight (-d=pgoinlinecdfthreshold). */
const HOT_PERCENT = 99;

/** The compiler reads edges line by line, in lines of at most 64 KiB with their end. */
const LONGEST_NAME = 65_535;

interface Node {
  readonly node: CallNode;
  /** Of all samples in which it counts, and of those of which it is the leaf. */
  cum: bigint;
  flat: bigint;
  lastChain: number;
  readonly calls: Map<Node, Call>;
}

interface Call {
  weight: bigint;
  lastChain: number;
}

/** Of a profile whose references resolve. */
export function pgoEdges(profile: Profile): PgoEdges {
  const column = compilerColumn(profile.sampleTypes);
  if (profile.samples.length === 0) return sortedEdges(new Map(), 0n, undefined);
  if (column < 0) return sortedEdges(new Map(), 0n, "no-column");
  const nodes = new Map<CallNode, Node>();
  let misplaced = 0n;
  let nth = 0;
  for (const [chain, weight] of chainWeights(profile, column)) {
    const calls = addChain(nodes, chain, weight, nth++);
    if (isMisplaced(chain)) misplaced += weight * BigInt(calls);
  }
  // As the compiler's: what came to nothing, by negative values, is no node.
  const kept = [...nodes.values()].filter(({ cum, flat }) => int64(cum) !== 0n || int64(flat) !== 0n);
  if (!kept.some(({ node }) => node.startLine !== 0n)) return sortedEdges(new Map(), 0n, "no-start-line");
  return sortedEdges(edgesBySite(kept), misplaced, undefined);
}

/** The column that the compiler reads: the first of the two. -1 where there is neither. */
export function compilerColumn(sampleTypes: readonly ValueType[]): number {
  return sampleTypes.findIndex(
    ({ type, unit }) => (type === "samples" && unit === "count") || (type === "cpu" && unit === "nanoseconds"),
  );
}

/** Whether a call of the chain comes from a frame that does not say where its function begins. */
export function isMisplaced(chain: CallChain): boolean {
  return chain.some(({ node }, at) => {
    const callee = chain[at + 1]?.node;
    return callee !== undefined && callee !== node && node.startLine === 0n;
  });
}

/** Whether the compiler can read the name in the form in which `go build` hands it over, line by line. */
export function isReadableName(name: string): boolean {
  return !/[\n\r]/.test(name) && name.length <= LONGEST_NAME;
}

/** The heaviest edges up to and including the one with which they exceed 99 % of the weight. */
export function hotEdges({ edges, totalWeight }: PgoEdges): readonly PgoEdge[] {
  let sum = 0n;
  for (const [at, { weight }] of edges.entries()) {
    sum += weight;
    // The compiler's own arithmetic, in doubles.
    if ((Number(sum) / Number(totalWeight)) * 100 > HOT_PERCENT) return edges.slice(0, at + 1);
  }
  return edges;
}

/** What `go tool preprofile` writes. */
export function preprofileText({ edges }: PgoEdges): string {
  const entries = edges.map(({ caller, callee, offset, weight }) => `${caller}\n${callee}\n${offset} ${weight}\n`);
  return PREPROFILE_HEADER + entries.join("");
}

/** The samples of one chain count alike, so their values are summed first; one whose sum is 0 is there too. */
function chainWeights(profile: Profile, column: number): Map<CallChain, bigint> {
  const chains = new CallChains(profile);
  const weights = new Map<CallChain, bigint>();
  for (const sample of profile.samples) {
    const weight = sample.values[column]!;
    if (weight === 0n) continue;
    const chain = chains.of(sample);
    weights.set(chain, (weights.get(chain) ?? 0n) + weight);
  }
  return weights;
}

/** Adds the nth chain; answers how many edges it counts for, each once. */
function addChain(nodes: Map<CallNode, Node>, chain: CallChain, weight: bigint, nth: number): number {
  let parent: Node | undefined;
  let edges = 0;
  for (const { node: callNode } of chain) {
    const node = nodeOf(nodes, callNode);
    if (node.lastChain !== nth) node.cum += weight;
    node.lastChain = nth;
    if (parent !== undefined && parent !== node && addCall(parent, node, weight, nth)) edges++;
    parent = node;
  }
  if (parent !== undefined) parent.flat += weight;
  return edges;
}

function nodeOf(nodes: Map<CallNode, Node>, node: CallNode): Node {
  const known = nodes.get(node);
  if (known !== undefined) return known;
  const made = { node, cum: 0n, flat: 0n, lastChain: -1, calls: new Map() };
  nodes.set(node, made);
  return made;
}

/** False where the chain has counted for this call already: recursion. */
function addCall(caller: Node, callee: Node, weight: bigint, nth: number): boolean {
  const call = caller.calls.get(callee) ?? { weight: 0n, lastChain: -1 };
  if (call.lastChain === nth) return false;
  call.weight += weight;
  call.lastChain = nth;
  caller.calls.set(callee, call);
  return true;
}

function edgesBySite(nodes: readonly Node[]): Map<string, PgoEdge> {
  const edges = new Map<string, PgoEdge>();
  for (const { node, calls } of nodes) {
    const offset = int64(node.line - node.startLine);
    for (const [callee, { weight }] of calls) {
      const key = `${offset} ${node.name.length} ${node.name}${callee.node.name}`;
      const sum = (edges.get(key)?.weight ?? 0n) + weight;
      edges.set(key, { caller: node.name, callee: callee.node.name, offset, weight: sum });
    }
  }
  return edges;
}

function sortedEdges(found: Map<string, PgoEdge>, misplaced: bigint, fault: PgoRefusal | undefined): PgoEdges {
  let total = 0n;
  let isWrapped = false;
  const edges = [...found.values()].map((edge) => {
    total += edge.weight;
    const weight = int64(edge.weight);
    if (weight !== edge.weight) isWrapped = true;
    return { ...edge, weight };
  });
  const totalWeight = int64(total);
  const none = { edges: [], totalWeight: 0n, misplacedWeight: misplaced };
  if (totalWeight === 0n) return { ...none, isWrapped: isWrapped || total !== 0n, refusal: fault };
  const isReadable = edges.every(({ caller, callee }) => isReadableName(caller) && isReadableName(callee));
  return {
    edges: edges.sort(byWeight),
    totalWeight,
    isWrapped: isWrapped || totalWeight !== total,
    misplacedWeight: misplaced,
    refusal: isReadable ? fault : "unreadable-name",
  };
}

function byWeight(a: PgoEdge, b: PgoEdge): number {
  if (a.weight !== b.weight) return a.weight > b.weight ? -1 : 1;
  return (
    compareUtf8(a.caller, b.caller) ||
    compareUtf8(a.callee, b.callee) ||
    (a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0)
  );
}

function int64(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}
