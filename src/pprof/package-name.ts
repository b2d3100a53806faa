// The package that a function's name tells, as its language writes names. Symbols are not parsed: what looks like no package has none.

/** Go, C++ and Rust: what comes first of "." and "::". */
const SEPARATOR = /\.|::/;
/** Java: a.b.Class.method, where only classes begin with capitals. */
const JAVA_DOTTED = /^((?:[a-z_][\w$]*\.)*[a-z_][\w$]*)\.[A-Z][\w$]*\./;
/** Java as JVMs write it: a/b/Class.method */
const JAVA_SLASHED = /^((?:[a-z_][\w$]*\/)*[a-z_][\w$]*)\/[A-Z][\w$]*\./;
const PACKAGE = /^[\w.$%~+\-/]+$/;

/** Undefined where the name tells none: C, JavaScript, "(anonymous namespace)". */
export function packageName(functionName: string): string | undefined {
  // Rust writes `<a::B as c::D>::f`, and type arguments may hold anything.
  const head = /^[<&*]*([^([<{ ]*)/.exec(functionName)![1]!;
  const java = JAVA_SLASHED.exec(head) ?? JAVA_DOTTED.exec(head);
  if (java) return java[1];
  const from = head.slice(0, head.indexOf("::") < 0 ? undefined : head.indexOf("::")).lastIndexOf("/") + 1;
  const at = head.slice(from).search(SEPARATOR);
  const name = at < 1 ? "" : head.slice(0, from + at);
  return PACKAGE.test(name) ? name : undefined;
}
