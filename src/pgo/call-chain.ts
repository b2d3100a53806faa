// The part of a stack that the Go compiler looks at: the frames of its two innermost locations, as a chain of calls (NewGraph in
// Go's internal/profile). What the calls weigh is edges.ts's business.

import type { Location, Profile, Sample } from "../pprof/profile.ts";

/** A frame as the compiler tells one from another: by name, address, line and start line. */
export interface CallNode {
  readonly name: string;
  readonly line: bigint;
  readonly startLine: bigint;
}

/** A frame at its place: of which location, and which of its lines. */
export interface ChainLink {
  readonly node: CallNode;
  readonly location: Location;
  /** A location without lines is one frame without name, at line 0. */
  readonly line: number;
}

/** From the outermost frame that counts to the leaf; consecutive links may be of one node, which is no call. */
export type CallChain = readonly ChainLink[];

export class CallChains {
  /** By location id, the outermost frame first. */
  readonly #links = new Map<bigint, CallChain>();
  /** By the ids of leaf and caller, 0 where there is none: profiles have few of them, many times. */
  readonly #chains = new Map<bigint, Map<bigint, CallChain>>();

  /** Of a profile whose references resolve. */
  constructor({ functions, locations }: Profile) {
    const functionOf = new Map(functions.map((fn) => [fn.id, fn]));
    const nodes = new Map<string, CallNode>();
    for (const location of locations) {
      const lines = location.lines.length > 0 ? location.lines : [{ functionId: 0n, line: 0n }];
      const links = lines.map(({ functionId, line: written }, line) => {
        const { name, startLine } = functionOf.get(functionId) ?? { name: "", startLine: 0n };
        const found = { name, startLine, line: functionId === 0n ? 0n : written };
        const key = `${location.address} ${startLine} ${found.line} ${name}`;
        const node = nodes.get(key) ?? found;
        nodes.set(key, node);
        return { node, location, line };
      });
      this.#links.set(location.id, links.reverse());
    }
  }

  /** One object for all samples with the same two innermost locations. */
  of({ locationIds: [leaf = 0n, caller = 0n] }: Sample): CallChain {
    let ofLeaf = this.#chains.get(leaf);
    if (ofLeaf === undefined) {
      ofLeaf = new Map();
      this.#chains.set(leaf, ofLeaf);
    }
    let chain = ofLeaf.get(caller);
    if (chain === undefined) {
      chain = [...(this.#links.get(caller) ?? []), ...(this.#links.get(leaf) ?? [])];
      ofLeaf.set(caller, chain);
    }
    return chain;
  }
}
