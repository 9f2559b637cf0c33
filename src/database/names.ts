/**
 * The collation of names that people read in order: Unicode's own, so that "Örnek" comes before "Zebra" and case tells
 * apart only what is equal otherwise. Every build with ICU has it, the embedded database too.
 */
export const NAMES = 'und-x-icu';

/**
 * A trigger that keeps texts of a table composed (NFC), whoever writes them: what is searched for is composed as well.
 * Only databases in UTF-8 can compose.
 */
export function composed(table: string, columns: readonly string[]) {
  const all = columns.map((column) => `new.${column} := normalize(new.${column}, nfc);`).join(' ');
  return {
    name: `${table}_composed`,
    timing: 'before' as const,
    events: ['insert' as const, 'update' as const],
    forEach: 'row' as const,
    body: `if getdatabaseencoding() = 'UTF8' then ${all} end if; return new`,
  };
}
