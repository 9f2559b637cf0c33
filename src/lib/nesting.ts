/** How deep lists and objects may lie inside one another: what writes them down again does it by recursion. */
export const MAXIMUM_NESTING = 500;
export const NESTED_TOO_DEEPLY = `Lists and objects may lie ${MAXIMUM_NESTING} deep inside one another.`;

/** How many values a request may bring, in lists and objects at any depth: reading many takes long, whatever they are. */
export const MAXIMUM_VALUES = 2_000;
export const TOO_MANY_VALUES = `Lists and objects of a request may hold ${MAXIMUM_VALUES} values together.`;

const QUOTE = 34;
const BACKSLASH = 92;

/** Whether a JSON text has lists and objects deeper inside one another than they may be. Of what is no JSON nothing is said. */
export function isNestedTooDeeply(text: string): boolean {
  // As many brackets are needed to be too deep.
  if (text.length <= MAXIMUM_NESTING) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      at = endOfString(text, at + 1);
      continue;
    }
    // [ and {, ] and }
    if (character === 91 || character === 123) {
      depth += 1;
      if (depth > MAXIMUM_NESTING) return true;
    } else if (character === 93 || character === 125) depth -= 1;
  }
  return false;
}

/** Where the string that begins at `from` ends. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return at;
  }
  return text.length;
}

/** Whether a JSON text has more values than a request may bring: as many commas lie outside of its strings. */
export function hasTooManyValues(text: string): boolean {
  if (text.length <= MAXIMUM_VALUES) return false;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) at = endOfString(text, at + 1);
    else if (character === 44) {
      values += 1;
      if (values >= MAXIMUM_VALUES) return true;
    }
  }
  return false;
}
