/** Characters that a message repeats of one value or name, and that it has at all. */
const OF_VALUE = 100;
const OF_MESSAGE = 600;
const SHORTEST_KEY = 25;
/** Characters at either end of a message that are looked at. */
const OF_LOOK = 4_000;

const QUOTED = new RegExp(`"((?:[^"\\\\]|\\\\.){${OF_VALUE}})(?:[^"\\\\]|\\\\.)+"`, 'gs');
const BARE = new RegExp(`([^\\s"]{${OF_VALUE}})[^\\s"]+`, 'g');

/** What has the form of a product key; without dashes only with a digit, for names of types are as long. */
const KEY = /(?<![a-z0-9])(?:[a-z0-9]{5}(?:-[a-z0-9]{5}){4}|(?=[a-z]*\d)[a-z0-9]{25})(?![a-z0-9])/gi;

/**
 * A message that repeats what was sent, with long values cut: graphql-js tells each mistake in a value with all of it,
 * and people's data is not to be told at length, nor a product key at all (rule 8). What stands at the end says what is wrong, and is kept.
 */
export function withShortEchoes(message: string): string {
  if (message.length < SHORTEST_KEY) return message;
  const keyless = ofBoundedLength(message).replace(KEY, '…');
  if (keyless.length <= OF_VALUE) return keyless;
  const cut = keyless.replace(QUOTED, '"$1…"').replace(BARE, '$1…');
  return cut.length <= OF_MESSAGE ? cut : `${cut.slice(0, OF_MESSAGE / 2)}…${cut.slice(-OF_MESSAGE / 2)}`;
}

/** Without its middle, where it is long: a value may be as long as a request, and expressions take longer than that. */
function ofBoundedLength(message: string): string {
  return message.length <= 2 * OF_LOOK ? message : `${message.slice(0, OF_LOOK)}…${message.slice(-OF_LOOK)}`;
}

/** What is told of many mistakes of one kind: the first, and that there are more. */
export function few<Told extends { message: string }>(errors: readonly Told[], maximum: number): Told[] {
  const [first] = errors;
  if (!first || errors.length <= maximum) return [...errors];
  const { extensions } = first as Told & { extensions?: unknown };
  const more = { message: `There are more mistakes than these ${maximum}.`, extensions };
  return [...errors.slice(0, maximum), more as unknown as Told];
}
