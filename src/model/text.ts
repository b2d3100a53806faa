// Rules for text that people and programs send: UTF-8 order, UTF-8 size, well-formedness, control characters.

/** Orders strings as their UTF-8 bytes do; UTF-16 order differs only where a surrogate meets U+E000–U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

function codePointRank(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
  return isSurrogate ? unit + 0x10000 : unit;
}

export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** What is wrong with `text` as a name or value, or undefined: a lone surrogate has no UTF-8, controls break logs and headers. */
export function textFault(text: string): string | undefined {
  if (!text.isWellFormed()) return "is not valid UTF-8";
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit === 0x7f) return `holds the control character U+${unit.toString(16).padStart(4, "0")}`;
  }
  return undefined;
}

/** A value as an error message shows it: quoted, controls escaped, long ones cut. */
export function quote(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 77)}…` : text;
  return JSON.stringify(shown.toWellFormed());
}
