/** Characters that a message repeats of one value or name, and that it has at all. */
const OF_VALUE = 100;
const OF_MESSAGE = 600;

const QUOTED = new RegExp(`"((?:[^"\\\\]|\\\\.){${OF_VALUE}})(?:[^"\\\\]|\\\\.)+"`, 'gs');
const BARE = new RegExp(`([^\\s"]{${OF_VALUE}})[^\\s"]+`, 'g');

/**
 * A message that repeats what was sent, with long values cut: graphql-js tells each mistake in a value with all of it,
 * and people's data is not to be told at length. What stands at the end says what is wrong, and is kept.
 */
export function withShortEchoes(message: string): string {
  if (message.length <= OF_VALUE) return message;
  const cut = message.replace(QUOTED, '"$1…"').replace(BARE, '$1…');
  return cut.length <= OF_MESSAGE ? cut : `${cut.slice(0, OF_MESSAGE / 2)}…${cut.slice(-OF_MESSAGE / 2)}`;
}

/** What is told of many mistakes of one kind: the first, and that there are more. */
export function few<Told extends { message: string }>(errors: readonly Told[], maximum: number): Told[] {
  const [first] = errors;
  if (!first || errors.length <= maximum) return [...errors];
  const { extensions } = first as Told & { extensions?: unknown };
  const more = { message: `There are more mistakes than these ${maximum}.`, extensions };
  return [...errors.slice(0, maximum), more as unknown as Told];
}
