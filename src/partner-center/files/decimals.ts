/** What parts the whole of a number from its fraction: a point in English, a comma in most languages. */
export type DecimalMark = 'point' | 'comma';

/** What groups thousands whatever the decimal mark is: blanks of three kinds and apostrophes. */
const GROUPING = /[ \u00a0\u202f'\u2019]/g;
const DIGITS = /^[-+]?\d+(?:[.,]\d+)*$/;

/** A number without blanks, apostrophes and the minus of typesetters. */
const plain = (written: string): string => written.trim().replace(GROUPING, '').replace('\u2212', '-');

/**
 * Reads a number of a file, exactly; thousands may be grouped.
 * @param mark null where nobody has told it: only what can be read in one way is read then
 * @returns a decimal string such as `-1234.5`; null for what is none
 */
export function parseDecimal(written: string, mark: DecimalMark | null): string | null {
  const text = plain(written);
  if (!DIGITS.test(text)) return null;
  const told = mark ?? markOf(text) ?? (/[.,]/.test(text) ? null : 'point');
  if (told === null) return null;
  const [decimal, group] = told === 'point' ? ['.', ','] : [',', '.'];
  const [whole = '', fraction, ...more] = text.split(decimal as string);
  if (more.length > 0 || fraction?.includes(group as string)) return null;
  const [first = '', ...groups] = whole.split(group as string);
  if (groups.some((digits) => digits.length !== 3) || (groups.length > 0 && !/^[-+]?[1-9]\d{0,2}$/.test(first)))
    return null;
  const digits = `${first}${groups.join('')}`.replace('+', '');
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}

/** The decimal mark that a number tells by itself, as `12.5` and `1.234,5` do; null where it can have either, or has none. */
export function markOf(written: string): DecimalMark | null {
  const text = plain(written);
  if (!DIGITS.test(text)) return null;
  const [asPoint, asComma] = [parseDecimal(text, 'point'), parseDecimal(text, 'comma')];
  if (asPoint !== null && asComma === null) return 'point';
  return asComma !== null && asPoint === null ? 'comma' : null;
}

/** Whether a number is another one by each mark: `1.234`, but neither `12.5` nor `1234`. */
export function isAmbiguousDecimal(written: string): boolean {
  const text = plain(written);
  return /[.,]/.test(text) && DIGITS.test(text) && markOf(text) === null && parseDecimal(text, 'point') !== null;
}
