// The tables of a pack, which all its profiles refer to by index, and their sections. The numbering is that of numbering.ts; decoding
// relies on no more of it than what it checks.

import { MAPPING_KEY } from "../pprof/interner.ts";
import type { InternerContent } from "../pprof/interner-transfer.ts";
import { hasSection, type Pack, readSection, type Section, type SectionKind, sectionName } from "./format.ts";
import { NumberReader, NumberWriter } from "./number-columns.ts";
import { type PackHeads, readHeads, writeHeads } from "./pack-heads.ts";
import { readLabelSets, readNodes, readRows, writeLabelSets, writeNodes, writeRows } from "./row-tables.ts";
import { NO_SAMPLINGS, readSamplings, type Samplings, writeSamplings } from "./sampling.ts";
import {
  readFunctions,
  readLocations,
  readMappings,
  readStrings,
  writeFunctions,
  writeLocations,
  writeMappings,
  writeStrings,
} from "./symbol-tables.ts";

/**
 * As an Interner has them, in the pack's order: what writes a profile and what absorbs tables take them as they are. Flat, so that
 * threads can share them.
 */
export interface PackTables extends InternerContent, PackHeads, Samplings {}

export function encodeTables(tables: PackTables): Section[] {
  const section = (kind: SectionKind, write: (out: NumberWriter, tables: PackTables) => void): Section => {
    const out = new NumberWriter();
    write(out, tables);
    return { kind, part: 0, bytes: out.finish() };
  };
  const samplings = tables.sampledSizes.length > 0 ? [section("samplings", writeSamplings)] : [];
  return [
    section("strings", writeStrings),
    section("functions", writeFunctions),
    section("mappings", writeMappings),
    section("locations", writeLocations),
    section("stacks", writeNodes),
    section("labelSets", writeLabelSets),
    section("rows", writeRows),
    section("heads", writeHeads),
    ...samplings,
  ];
}

/** Throws `unavailable`, naming the section that is damaged. */
export function decodeTables(pack: Pack): PackTables {
  const open = (kind: SectionKind) => new NumberReader(sectionName(kind), readSection(pack, kind));
  const strings = readStrings(open("strings"));
  const stringCount = strings.stringEnds.length;
  const functions = readFunctions(open("functions"), stringCount);
  const mappings = readMappings(open("mappings"), stringCount);
  const locations = readLocations(open("locations"), mappings.length / MAPPING_KEY, functions);
  const nodes = readNodes(open("stacks"), locations.locationEnds.length - 1);
  const labelSets = readLabelSets(open("labelSets"), stringCount);
  const rows = readRows(open("rows"), nodes.length / 2, labelSets.labelSetEnds.length - 1);
  const heads = readHeads(open("heads"), stringCount, mappings.length / MAPPING_KEY, pack.columns);
  const setCount = labelSets.labelSetEnds.length - 1;
  const samplings = hasSection(pack, "samplings") ? readSamplings(open("samplings"), setCount) : NO_SAMPLINGS;
  return { ...strings, functions, mappings, ...locations, ...labelSets, nodes, ...rows, ...heads, ...samplings };
}
