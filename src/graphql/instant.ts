/**
 * RFC 3339, which lets T and Z be written small, a fraction have any digits, and a leap second be the 60th. Seconds may be
 * left out as ISO 8601 lets them; there is no hour 24.
 */
const INSTANT =
  /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):[0-5]\d)(?::([0-5]\d|60)(?:\.(\d+))?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/** An instant between two milliseconds. As a Date it is the later of them. */
class FinerInstant extends Date {
  constructor(
    later: number,
    readonly earlier: Date,
  ) {
    super(later);
  }
}

/**
 * The instant that a text names, null where it names none. The tables keep milliseconds, so that one that is finer bounds
 * them as the next millisecond does: what is at or after the one is at or after the other, and so for before. The very
 * last millisecond of year 9999 has no next one.
 */
export function instantOf(text: string): Date | null {
  const [, day = '', minute, second = '00', fraction = '', zone = ''] = INSTANT.exec(text) ?? [];
  if (!isCalendarDay(day)) return null;
  const isLeapSecond = second === '60';
  const digits = isLeapSecond ? '999' : fraction.slice(0, 3).padEnd(3, '0');
  const earlier = new Date(`${day}T${minute}:${isLeapSecond ? '59' : second}.${digits}${zone.toUpperCase()}`);
  const year = earlier.getUTCFullYear();
  if (year < 1 || year > 9999) return null;
  // A leap second is the last one of a month in UTC; it lies behind the second before it, and before the month that follows.
  if (isLeapSecond && !isStartOfMonth(+earlier + 1)) return null;
  const isFiner = isLeapSecond || /[1-9]/.test(fraction.slice(3));
  return isFiner ? new FinerInstant(Math.min(+earlier + 1, LAST), earlier) : earlier;
}

/** The millisecond in which an instant lies: what holds at an instant is looked up at that. */
export function millisecondOf(instant: Date): Date {
  return instant instanceof FinerInstant ? instant.earlier : instant;
}

/** JavaScript turns 31 February into 3 March, and has a year 0: here they are none. */
export function isCalendarDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith('0000')) return false;
  const midnight = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(text);
}

function isStartOfMonth(instant: number): boolean {
  return /-01T00:00:00\.000Z$/.test(new Date(instant).toISOString());
}
