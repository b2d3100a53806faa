// Sources: the senders behind a key that everybody has, told apart by names that say nothing of them. Who gives the names: src/http/keys.

/** The label that a source's profiles have. */
export const SOURCE_LABEL = "source";
export const SOURCE_DIGITS = 16;

const SOURCE = /^[a-z][a-z0-9_.-]{0,63}\/[0-9a-f]{16}$/i;

/** `<key's id>/<16 digits>`: neither an address nor a key's id looks so. */
export function isSource(name: string): boolean {
  return SOURCE.test(name);
}

export function sourcePrefix(source: string): string {
  return source.slice(0, source.indexOf("/"));
}
