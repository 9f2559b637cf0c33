import type { Em } from '../../database/orm.js';
import { SyncKind } from '../../domain/sync-kind.js';
import type { Mirror } from './mirror.js';
import { syncCustomers, syncHoldings } from './sync.js';
import { failed, succeeded } from './sync-entries.js';
import { syncRecords } from './sync-records.js';
import { closePass, openPass } from './sync-states.js';
import { countCustomers, readAgainWithoutEntitlements, tryEntitlements } from './turns.js';

/** How the mirror is kept by itself. */
export interface SyncPace {
  /** How often there is a turn: records are read in each. */
  everySeconds: number;
  /** Within how many days each customer is read once, whatever records say. */
  crawlDays: number;
}

/** How often the whole list of customers is read. */
const CUSTOMERS_SECONDS = 86_400;
const SECONDS_OF_DAY = 86_400;
/** The longest turn: records are read in each, and are not to wait for the rest. */
const TURN_MS = 60_000;

/**
 * One turn of the mirror: records first, then the list of customers where it is due, then what customers have. Where one cannot be
 * read the others are. What is not done within the turn is left to the next one.
 */
export async function syncTurn(mirror: Mirror, { everySeconds, crawlDays }: SyncPace): Promise<void> {
  const end = performance.now() + Math.min(everySeconds * 1_000, TURN_MS);
  const isOver = () => performance.now() >= end || mirror.signal?.aborted === true;
  const attempt = async (kind: SyncKind, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      if (!mirror.signal?.aborted) await failed(mirror, kind, (error as Error).message);
    }
  };
  await attempt(SyncKind.RECORDS, () => syncRecords(mirror, { isOver }));
  await attempt(SyncKind.CUSTOMERS, () => syncCustomers(mirror, CUSTOMERS_SECONDS, { isOver }));
  await attempt(SyncKind.ORDERS, async () => {
    const { inTransaction } = mirror;
    const pass = await inTransaction((em) => openPass(em, SyncKind.ORDERS, crawlDays * SECONDS_OF_DAY));
    const { all } = await countCustomers(mirror, new Date());
    const most = Math.ceil((all * everySeconds) / (crawlDays * SECONDS_OF_DAY)) + 1;
    const pace = { readBefore: pass?.startedAt ?? null, most };
    await tryEntitlements(mirror);
    const { read, isDone, entitlementsError, withoutEntitlements } = await syncHoldings(mirror, pace, { isOver });
    if (read > 0) await inTransaction((em) => succeeded(em, SyncKind.ORDERS));
    if (entitlementsError !== null) await failed(mirror, SyncKind.ENTITLEMENTS, entitlementsError, withoutEntitlements);
    else if (read > 0) await inTransaction((em) => entitlementsRead(em));
    if (pass && isDone && (await countCustomers(mirror, pass.startedAt)).unread === 0)
      await inTransaction((em) => closePass(em, SyncKind.ORDERS));
  });
}

/** Notes that entitlements are told: those who had to do without are read again. */
export async function entitlementsRead(em: Em): Promise<void> {
  await succeeded(em, SyncKind.ENTITLEMENTS);
  await readAgainWithoutEntitlements(em);
}
