// A line as it was typed so far → its words, as a shell splits it. Variables and the like stay as they are.

/** The last word is the unfinished one, "" behind a space; an open quote goes on to the end. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === "\\" && quote !== "'") word += line[++at] ?? "";
    else if (quote !== "" && character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (quote !== "" || !/\s/.test(character)) word += character;
    else if (word !== "" || /["']/.test(line[at - 1] ?? "")) {
      words.push(word);
      word = "";
    }
  }
  return [...words, word];
}
