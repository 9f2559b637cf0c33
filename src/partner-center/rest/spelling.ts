import { z } from 'zod';

/** A word of an enumeration in one spelling: the service writes them in several, and has new ones. */
export const wordOf = (text: string) => text.replaceAll('_', '').toLowerCase();

/** An id that is a GUID, in lower case; billing lines may write `org:` before it. */
export const guidOf = (text: string) => text.replace(/^org:/i, '').toLowerCase();

/** An instant; null where the service means none. Without a zone it is UTC, and seconds may have seven decimals. */
export function instantOf(text: string): Date | null {
  const parts = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?$/i.exec(text);
  if (!parts) return null;
  const [, day, time = '00:00:00', fraction = '', zone = 'Z'] = parts;
  const instant = new Date(`${day}T${time}${fraction.slice(0, 4)}${zone}`);
  return Number.isNaN(instant.getTime()) || instant.getUTCFullYear() <= 1 ? null : instant;
}

export const word = z.coerce.string().transform(wordOf);
export const guid = z.string().transform(guidOf);
/** Ids of which the case counts. */
export const text = z.coerce.string();
export const whole = z.coerce.number().int();
export const decimal = z.union([z.string(), z.number()]).transform(String);
export const instant = z.string().transform(instantOf);
/** What must be there. */
export const when = instant.refine((date) => date !== null, 'is no instant').transform((date) => date as Date);
