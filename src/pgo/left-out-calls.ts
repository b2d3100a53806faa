// Calls that the compiler is not to see: their edges go, and every other edge keeps its weight. google/pprof's way, which counts what goes for
// the caller, is src/pprof/prune.ts.

import type { Limits } from "../model/limits.ts";
import { nameTest } from "../pprof/name-test.ts";
import type { Location, Profile, Sample } from "../pprof/profile.ts";
import { type CallChain, CallChains, type ChainLink } from "./call-chain.ts";

export interface LeftOutCalls {
  /** RE2 expressions that match anywhere in a name: calls to and from these functions go. */
  readonly drop: readonly string[];
  /** Whole names: calls to these functions go, so that the compiler finds no heat in them. Calls that they make stay. */
  readonly noInline: readonly string[];
}

type CallTest = (caller: string, callee: string) => boolean;

/**
 * Only samples with such a call change. Each becomes the pieces of its chain between those calls, without the frames further out, which
 * would make edges of their own: mostly one piece, and where several have calls a sample each, with all its values. A chain of which no call
 * is left becomes its leaf. Texts of the profile are byte strings. Throws `invalid` for a bad expression and for one over the limits.
 */
export function leaveOutCalls(profile: Profile, { drop, noInline }: LeftOutCalls, limits: Limits): void {
  if (drop.length === 0 && noInline.length === 0) return;
  const drops = drop.map((pattern) => nameTest(pattern, profile.functions.length, limits));
  const isDropped = (name: string) => name !== "" && drops.some((matches) => matches(name));
  const cold = new Set(noInline.map((name) => Buffer.from(name, "utf8").toString("latin1")));
  const isLeftOut: CallTest = (caller, callee) => cold.has(callee) || isDropped(caller) || isDropped(callee);
  const chains = new CallChains(profile);
  const parts = new LocationParts(profile.locations);
  const stacksOf = new Map<CallChain, bigint[][] | undefined>();
  profile.samples = profile.samples.flatMap((sample) => {
    const chain = chains.of(sample);
    if (!stacksOf.has(chain)) stacksOf.set(chain, stacksWithout(chain, isLeftOut, parts));
    return stacksOf.get(chain)?.map((locationIds): Sample => ({ ...sample, locationIds })) ?? sample;
  });
}

/** Undefined where the chain has no such call. */
function stacksWithout(chain: CallChain, isLeftOut: CallTest, parts: LocationParts): bigint[][] | undefined {
  const isCut = (at: number) => isCall(chain, at) && isLeftOut(chain[at - 1]!.node.name, chain[at]!.node.name);
  if (!chain.some((_, at) => isCut(at))) return undefined;
  const pieces = piecesOf(chain, isCut);
  const withCalls = pieces.filter((piece) => piece.some((_, at) => isCall(piece, at)));
  if (withCalls.length === 0) withCalls.push(chain.slice(-1));
  return withCalls.map((piece) => parts.stackOf(piece));
}

/** Whether the link is called by the one before it. */
function isCall(chain: CallChain, at: number): boolean {
  return at > 0 && chain[at]!.node !== chain[at - 1]!.node;
}

/** Also cut where a call comes again: it counts once for a sample, so it must not be in two pieces. */
function piecesOf(chain: CallChain, isCut: (at: number) => boolean): ChainLink[][] {
  const pieces: ChainLink[][] = [];
  for (const [at, link] of chain.entries()) {
    if (at === 0 || isCut(at) || (isCall(chain, at) && cameBefore(chain, at))) pieces.push([link]);
    else pieces.at(-1)!.push(link);
  }
  return pieces;
}

function cameBefore(chain: CallChain, at: number): boolean {
  const [caller, callee] = [chain[at - 1]!.node, chain[at]!.node];
  return chain.slice(0, at).some(({ node }, earlier) => node === callee && chain[earlier - 1]?.node === caller);
}

/** Adds to a profile's locations parts of them: at the same address, with some of the lines. */
class LocationParts {
  readonly #locations: Location[];
  readonly #taken: Set<bigint>;
  readonly #ids = new Map<string, bigint>();
  #lastId = 0n;

  constructor(locations: Location[]) {
    this.#locations = locations;
    this.#taken = new Set(locations.map(({ id }) => id));
  }

  /** Leaf first. */
  stackOf(piece: CallChain): bigint[] {
    const stack: bigint[] = [];
    let end = 0;
    for (const [at, { location, line }] of piece.entries()) {
      if (at === 0 || isNextLocation(piece, at)) end = line + 1;
      if (at + 1 === piece.length || isNextLocation(piece, at + 1)) stack.push(this.#part(location, line, end));
    }
    return stack.reverse();
  }

  #part(location: Location, start: number, end: number): bigint {
    const lines = location.lines.slice(start, end);
    if (lines.length === location.lines.length) return location.id;
    const key = `${location.id} ${start} ${end}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    do this.#lastId++;
    while (this.#taken.has(this.#lastId));
    this.#locations.push({ ...location, id: this.#lastId, lines });
    this.#ids.set(key, this.#lastId);
    return this.#lastId;
  }
}

/** Lines of one location count down to the innermost; a recursion may have the same location again. */
function isNextLocation(piece: CallChain, at: number): boolean {
  return piece[at]!.location !== piece[at - 1]!.location || piece[at]!.line >= piece[at - 1]!.line;
}
