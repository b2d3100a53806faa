// One profile as its writer wrote it, told by indexes into tables that it may share with thousands of others, and the form that
// says what those tables do not: how the bytes were laid out. Types alone; profile-writer.ts writes, learn.ts learns.

/**
 * What profiles refer to by index. The arrays have the layout of src/pprof/interner.ts, so that an Interner's own, or a
 * pack's decoded ones (over shared memory, too), can be given as they are. They may be longer than what is used.
 */
export interface WrittenTables {
  /** All strings, one behind the other: string n lies between stringEnds[n - 1] and stringEnds[n]; string 0 is empty. */
  readonly stringBytes: Uint8Array;
  readonly stringEnds: Int32Array;
  /** FUNCTION_KEY integers each: name, system name, file (strings), start line low, high. */
  readonly functions: Int32Array;
  /**
   * LOCATION_HEAD integers: mapping key (an index into `WrittenProfile.mappingRows`) or -1, address less the mapping's start
   * low, high, is_folded; then LINE_STRIDE per line: function, line low, high, column low, high. Location n lies between
   * locationEnds[n] and locationEnds[n + 1].
   */
  readonly locations: Int32Array;
  readonly locationEnds: Int32Array;
  /** Pairs: parent node, location; node 0 is the empty stack, a stack is the node of its leaf. */
  readonly nodes: Int32Array;
  /**
   * LABEL_STRIDE integers per label: key, text (strings), number low, high, unit (string); set n lies between
   * labelSetEnds[n] and labelSetEnds[n + 1]. Labels stand as they were written: in that order, repeated ones repeated, and
   * those that say nothing (a key alone) are there.
   */
  readonly labelSets: Int32Array;
  readonly labelSetEnds: Int32Array;
  /** Of each row id (a stack under a label set): its node and its label set. */
  readonly rowNodes: Int32Array;
  readonly rowLabelSets: Int32Array;
}

/** The outermost fields. Texts are strings of the tables; what the profile does not have is 0. */
export interface WrittenHeader {
  /** Pairs: type, unit. */
  readonly sampleTypes: Int32Array;
  /** One pair. */
  readonly periodType: Int32Array;
  readonly comments: Int32Array;
  readonly dropFrames: number;
  readonly keepFrames: number;
  readonly defaultSampleType: number;
  readonly docUrl: number;
  readonly timeNs: bigint;
  readonly durationNs: bigint;
  readonly period: bigint;
}

export interface WrittenProfile {
  readonly tables: WrittenTables;
  readonly header: WrittenHeader;
  /**
   * The mappings of the process, in the order written, MAPPING_STRIDE integers each: start low, high, limit low, high, offset
   * low, high, file, build id (strings of the tables), flags.
   */
  readonly mappings: Int32Array;
  readonly mappingCount: number;
  /** Row in `mappings` of each mapping key that a location of the profile has. */
  readonly mappingRows: Int32Array;
  /** Row ids in the order written, repeated ones repeated, zero ones too. */
  readonly rows: Int32Array;
  readonly rowCount: number;
  /** Low and high halves of the values: row after row, column after column. */
  readonly values: Int32Array;
}

/** How a profile was written. Two profiles of one writer mostly share the skeleton, and need no orders. */
export interface WrittenForm {
  /** The writer and the layout of its messages: a few bytes, the same for most profiles of a service. Intern it. */
  readonly skeleton: Uint8Array;
  /** Where the tables of this profile are in another order than the rows predict. Empty for Go's runtime. */
  readonly orders: Uint8Array;
}
