// What is wrong with a text as YAML, in words for those who write it: the parser's own are for programmers. Where it is wrong is told by
// those who read the text.

import type { YAMLError } from "yaml";

const FAULTS: Readonly<Record<YAMLError["code"], string>> = {
  ALIAS_PROPS: "an alias (*name) stands alone, without & and !",
  BAD_ALIAS: "an anchor (&name) or an alias (*name) has no name, or one that ends in a colon",
  BAD_COLLECTION_TYPE: "a tag (!name) says another kind than what follows it",
  BAD_DIRECTIVE: "this line with % in front is none that YAML has",
  BAD_DQ_ESCAPE: "within double quotes \\ begins an escape such as \\n, and this is none: write \\\\ or single quotes",
  BAD_INDENT: "this line is indented unlike those that it belongs to, or a [ or { before it is not closed",
  BAD_PROP_ORDER: "a tag (!name) or an anchor (&name) stands before - or :, and belongs behind it",
  BAD_SCALAR_START: "a word that begins with this character needs quotes",
  BLOCK_AS_IMPLICIT_KEY: "a second NAME: VALUE on one line, or a line indented unlike the ones around it",
  BLOCK_IN_FLOW: "within [ ] and { } there are no lines with - or of their own indentation",
  DUPLICATE_KEY: "this name is there twice: leave one of the lines out",
  IMPOSSIBLE: "it cannot be read here",
  KEY_OVER_1024_CHARS: "a name has more than 1024 characters",
  MISSING_CHAR: "something is missing here: a closing quote, ] or }, a comma, a : behind a name, or a space before #",
  MULTILINE_IMPLICIT_KEY:
    "a line before this one, or this, is no NAME: VALUE: is a colon, a space behind it or a closing quote missing?",
  MULTIPLE_ANCHORS: "two anchors (&name) on one value",
  MULTIPLE_DOCS: "a second document begins here, and one is read: leave --- and one of the two out",
  MULTIPLE_TAGS: "two tags (!name) on one value",
  NON_STRING_KEY: "a name is a word here, no list and no section",
  RESOURCE_EXHAUSTION: "lists and sections lie too deep in each other",
  TAB_AS_INDENT: "a tab where the line is indented: write spaces",
  TAG_RESOLVE_FAILED: "a tag (!name) that is not known, or that does not fit what follows it",
  UNEXPECTED_TOKEN: "this does not belong here: is a quote, a comma, a bracket or a new line missing before it?",
};

export function yamlFault({ code }: YAMLError): string {
  return FAULTS[code];
}

/** With its place, where the parser was asked to tell it (`prettyErrors`). */
export function placedYamlFault(error: YAMLError): string {
  const [start] = error.linePos ?? [];
  return start ? `line ${start.line}, column ${start.col}: ${yamlFault(error)}` : yamlFault(error);
}
