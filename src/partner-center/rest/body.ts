/** Longest text of an error that is kept: the service's own have at most 1,024 characters. */
const TEXT_LENGTH = 1_024;

/** What a body says. */
export type Body = { kind: 'json'; value: unknown } | { kind: 'empty' } | { kind: 'other'; text: string };

/**
 * Reads a body: it may begin with a byte order mark, be HTML of something in between, or be empty. Numbers that are no
 * whole ones stay text: prices have more decimals than a binary fraction holds.
 */
export function bodyOf(said: string): Body {
  // The mark counts as a blank.
  const text = said.trim();
  if (text === '') return { kind: 'empty' };
  try {
    return { kind: 'json', value: JSON.parse(text, keepDecimals) };
  } catch {
    return { kind: 'other', text };
  }
}

/** TypeScript does not know yet that a reviver is told the text of a number. */
function keepDecimals(this: unknown, _name: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) ? (context?.source ?? value) : value;
}

/** What an error says: the service's own shape has a code, that of whatever stands before it has none. */
export function errorOf(body: Body): { code: string | null; text: string } {
  if (body.kind === 'empty') return { code: null, text: 'an empty body' };
  if (body.kind === 'other') return { code: null, text: shorten(body.text.replace(/<[^<>]*>/g, ' ')) };
  const { code, description, message } = (body.value ?? {}) as Record<string, unknown>;
  const text = shorten(String(description ?? message ?? JSON.stringify(body.value)));
  return { code: code === undefined || code === null ? null : String(code), text };
}

const shorten = (text: string) => text.replace(/\s+/g, ' ').trim().slice(0, TEXT_LENGTH);
