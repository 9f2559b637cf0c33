import { parseExpiresAfter, type RefundOption, type SoldRefundOption } from '../../domain/refund-option.js';
import { expiryOf } from '../../modules/orders/refund-options.js';
import { endOf, type Term, termOf } from '../../modules/orders/term.js';

const DAY_MS = 86_400_000;

/** A term with the instant at which it is over. */
export interface DatedTerm extends Term {
  over: Date;
}

// Both depend on the UTC day of purchase only, and a load asks for the same few hundred days again and again.
const windows = new Map<string, Date>();
const terms = new Map<string, DatedTerm>();

/** `freezeOptions`, with what ends on a day computed once a day. */
export function soldOptionsOf(placedAt: Date, options: readonly RefundOption[]): SoldRefundOption[] {
  return options.map(({ sequence, type, expiresAfter }) => {
    const expiry = () => expiryOf(placedAt, expiresAfter);
    const isOfDays = parseExpiresAfter(expiresAfter).days !== null;
    const expiresAt = isOfDays ? once(windows, `${dayOf(placedAt)}/${expiresAfter}`, expiry) : expiry();
    return { sequence, type, expiresAt: expiresAt.toISOString() };
  });
}

/** `termOf` and `endOf`, computed once a day. */
export function datedTermOf(placedAt: Date, duration: string): DatedTerm {
  return once(terms, `${dayOf(placedAt)}/${duration}`, () => {
    const term = termOf(placedAt, duration);
    return { ...term, over: endOf(term) };
  });
}

const dayOf = (instant: Date): number => Math.floor(instant.getTime() / DAY_MS);

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = make();
  known.set(key, made);
  return made;
}
