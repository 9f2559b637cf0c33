import { LockMode } from '@mikro-orm/core';

/**
 * All that transactions wait for each other for, in the one order in which each of them takes it. So no two can wait for
 * each other: whoever holds something waits for later things only. What is taken without waiting (`pg_try_advisory`,
 * `skip locked`) has no place here, and neither has a row that nobody else can know of yet.
 */
const LOCK_ORDER = [
  /** Advisory: tables are changed. */
  'MIGRATION',
  /** Advisory: demonstration data is loaded. */
  'DEMO_LOAD',
  /** Advisory: policies and closed markets are imported. */
  'POLICIES',
  /** Advisory: access is revoked or given back. */
  'ACCESS_CHANGE',
  /** Advisory: somebody acts, or is kept from it; who changes access takes the own one and then another's. */
  'IDENTITY',
  /** The row of a customer as the upstream lists them, by whoever keeps what they have there. */
  'UPSTREAM_CUSTOMER',
  /** The row of a job, by whoever settles it, begins it anew or gives it up. */
  'JOB',
  /** The row of an intent, by whoever gives it up. */
  'INTENT',
  /** The row of an order, for all that happens to its lines, entitlements, keys and links. */
  'ORDER',
  'CANCELLATION',
  'SUPPORT_REQUEST',
  'DOWNLOAD_LINK',
  /** Advisory: product keys are stored. */
  'ENCRYPTION_KEYS',
  'SKU',
  /** The row of a version: keys are taken out of its pool. */
  'SOFTWARE_VERSION',
  /** Encrypted rows that get another encryption key. */
  'ENCRYPTED',
  /** Advisory: something is booked, which many may do at once, or a month is closed. */
  'BOOKING',
  /** The row of a series of documents, by whoever issues some. */
  'INVOICE_SERIES',
  /** The invoice of a customer, month and currency: two that make it wait for each other. */
  'INVOICE',
] as const;

/**
 * Rows that transactions change at their end too (`write`), whatever they hold by then: whoever locks one takes nothing
 * after it, so that nobody is waited for who waits.
 */
const TAKEN_LAST: readonly Lock[] = ['DOWNLOAD_LINK', 'ENCRYPTED'];

/** What a transaction waits for. */
export type Lock = (typeof LOCK_ORDER)[number];

/** What takes locks: an entity manager. */
type Locking = { isInTransaction(): boolean };

/** The place of what each transaction took last. */
const taken = new WeakMap<Locking, number>();

/**
 * Notes what a transaction takes next; of several rows of one kind it takes them in the order of their ids. Answers the
 * mode in which the ORM locks a row.
 * @throws Error where the transaction holds what comes later, or what is taken last: it could wait for somebody who waits
 *   for it
 */
export function inLockOrder(em: Locking, lock: Lock): LockMode {
  if (em.isInTransaction()) {
    const place = LOCK_ORDER.indexOf(lock);
    const last = taken.get(em) ?? -1;
    const held = LOCK_ORDER[last];
    if (place < last) throw new Error(`${lock} is to be locked before ${held} (lock-order.ts)`);
    if (held && held !== lock && TAKEN_LAST.includes(held))
      throw new Error(`${lock} is to be locked in another transaction than ${held} (lock-order.ts)`);
    taken.set(em, place);
  }
  return LockMode.PESSIMISTIC_WRITE;
}
