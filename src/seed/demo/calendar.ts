import { cancellableUntil } from '../../modules/orders/cancellation-window.js';
import { endOf, type Term, termOf } from '../../modules/orders/term.js';

const DAY_MS = 86_400_000;

/** A term with the instant at which it is over. */
export interface DatedTerm extends Term {
  over: Date;
}

// Both depend on the UTC day of purchase only, and a load asks for the same few hundred days again and again.
const windows = new Map<string, Date>();
const terms = new Map<string, DatedTerm>();

/** `cancellableUntil`, computed once a day. */
export function windowOf(placedAt: Date, days: number): Date {
  return once(windows, `${dayOf(placedAt)}/${days}`, () => cancellableUntil(placedAt, days));
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
