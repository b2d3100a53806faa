// Ranges of whole numbers as regular expressions of JavaScript and of JSON Schema, for what is written with a unit or within a word: there
// a schema knows no minimum and maximum.

/** The numbers from 1 to `max`, without zeros in front. */
export function numberUpTo(max: number): string {
  const digits = String(max);
  const shorter = digits.length > 1 ? [`[1-9][0-9]{0,${digits.length - 2}}`] : [];
  const sameLength = [...digits].flatMap((digit, at) => {
    const lowest = at === 0 ? 1 : 0;
    if (Number(digit) <= lowest) return [];
    return [`${digits.slice(0, at)}[${lowest}-${Number(digit) - 1}][0-9]{${digits.length - at - 1}}`];
  });
  return `(?:${[...shorter, ...sameLength, digits].join("|")})`;
}
