// An option that may be given several times, for commander.

/** The first one replaces the default, the next ones are added. */
export function repeated<Value>(parse: (text: string) => Value): (text: string, before: unknown) => Value[] {
  let given: Value[] | undefined;
  return (text) => {
    given = [...(given ?? []), parse(text)];
    return given;
  };
}
