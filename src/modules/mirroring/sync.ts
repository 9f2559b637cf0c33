import { SyncKind } from '../../domain/sync-kind.js';
import { keepListed, markGoneCustomers } from './keep-customers.js';
import { addChanges, type Changes, type Mirror, noChanges } from './mirror.js';
import { readHoldings } from './read-holdings.js';
import { succeeded } from './sync-entries.js';
import { closePass, keepPosition, openPass, restartPass } from './sync-states.js';
import { nextToRead, noteUnread, type Pace } from './turns.js';

/** How long a piece of the work may take, and who hears how far it is. */
export interface Bounds {
  /** Whether it is time to leave the rest to the next turn. */
  isOver: () => boolean;
  onProgress?: (read: number) => void;
}

/** Customers whose holdings are read beside each other: answers of the upstream take their time. */
const BESIDE = 4;
/** How many customers in a row may fail before the upstream itself is taken to be away. */
const MOST_FAILURES = 3;

/** Reads the list of customers, or what is left of it. Answers whether all of it was read. */
export async function syncCustomers(
  mirror: Mirror,
  everySeconds: number,
  { isOver, onProgress }: Bounds,
): Promise<boolean> {
  const { upstream, inTransaction, signal } = mirror;
  const pass = await inTransaction((em) => openPass(em, SyncKind.CUSTOMERS, everySeconds));
  if (!pass) return true;
  let { read } = pass;
  try {
    for await (const { items, next } of upstream.customers(pass.position, signal)) {
      read += items.length;
      await inTransaction(async (em) => {
        await keepListed(em, items);
        await keepPosition(em, SyncKind.CUSTOMERS, next, items.length);
        await succeeded(em, SyncKind.CUSTOMERS);
        if (next) return;
        await markGoneCustomers(em, pass.startedAt);
        await closePass(em, SyncKind.CUSTOMERS);
      });
      onProgress?.(read);
      if (next && isOver()) return false;
    }
    return true;
  } catch (error) {
    // Words of an earlier page may be good no more: then the list is read from its beginning.
    if (pass.position !== null && read === pass.read) await inTransaction((em) => restartPass(em, SyncKind.CUSTOMERS));
    throw error;
  }
}

/** What came of reading what customers have. */
export interface Crawled {
  changes: Changes;
  read: number;
  /** Whether nothing is left that is due. */
  isDone: boolean;
  /** Why entitlements could not be read, which are told only in the name of somebody who has signed in. */
  entitlementsError: string | null;
  /** Customers whose entitlements could not be read. */
  withoutEntitlements: number;
}

/**
 * Reads what customers have, of those who are due: named by records, never read, or whose turn it is in the crawl.
 * @throws where one after the other cannot be read
 */
export async function syncHoldings(mirror: Mirror, pace: Pace, { isOver, onProgress }: Bounds): Promise<Crawled> {
  const done: Crawled = {
    changes: noChanges(),
    read: 0,
    isDone: false,
    entitlementsError: null,
    withoutEntitlements: 0,
  };
  let failures = 0;
  let failed: unknown = null;
  const readOne = async (tenantId: string) => {
    try {
      const { changes, entitlementsError } = await readHoldings(mirror, tenantId);
      addChanges(done.changes, changes);
      done.entitlementsError ??= entitlementsError;
      done.withoutEntitlements += entitlementsError === null ? 0 : 1;
      done.read += 1;
      failures = 0;
      onProgress?.(done.read);
    } catch (error) {
      if (mirror.signal?.aborted) throw error;
      failures += 1;
      failed = error;
      await noteUnread(mirror, tenantId, (error as Error).message);
    }
  };
  while (!isOver() && !mirror.signal?.aborted) {
    const tenants = await nextToRead(mirror, pace, BESIDE, done.read);
    if (tenants.length === 0) {
      done.isDone = true;
      break;
    }
    await Promise.all(tenants.map(readOne));
    if (failures >= MOST_FAILURES) throw failed;
  }
  return done;
}
