import { SyncKind } from '../../domain/sync-kind.js';
import { addChanges, type Changes, type Mirror, noChanges } from './mirror.js';
import { readHoldings } from './read-holdings.js';
import { syncCustomers, syncHoldings } from './sync.js';
import { failed, succeeded } from './sync-entries.js';
import { syncRecords } from './sync-records.js';
import { closePass, openPass } from './sync-states.js';
import { entitlementsRead } from './sync-turn.js';
import { unknownRecords } from './tell-records.js';
import { countCustomers } from './turns.js';

/** What reading everything came to. */
export interface SyncReport {
  /** Records that were told, or in a dry run would be. */
  told: number;
  /** Customers whose orders were read. */
  read: number;
  changes: Changes;
  /** Why entitlements could not be read; null: they could. */
  entitlementsError: string | null;
  /** Why some customers could not be read; null: all could. */
  problem: string | null;
}

/** Hears how many of how many customers are read. */
type OnProgress = (done: number, all: number) => void;

/** Never: all of it is read at once. */
const isOver = () => false;

/**
 * Reads all that the upstream tells: the list of customers, what each of them has, and records. What was interrupted goes on:
 * customers who were read in the same pass are not read again.
 * @throws where the upstream cannot be asked; what was read until then is kept
 */
export async function wholeSync(mirror: Mirror, onProgress: OnProgress): Promise<SyncReport> {
  const { inTransaction } = mirror;
  const attempt = async <Result>(kind: SyncKind, work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (!mirror.signal?.aborted) await failed(mirror, kind, (error as Error).message);
      throw error;
    }
  };
  await attempt(SyncKind.CUSTOMERS, () => syncCustomers(mirror, 0, { isOver }));
  const report = await attempt(SyncKind.ORDERS, async () => {
    const pass = await inTransaction((em) => openPass(em, SyncKind.ORDERS, 0));
    const startedAt = pass?.startedAt ?? new Date();
    const { all, unread } = await countCustomers(mirror, startedAt);
    const progress = (read: number) => onProgress(Math.min(all - unread + read, all), all);
    const crawled = await syncHoldings(mirror, { readBefore: startedAt, most: null }, { isOver, onProgress: progress });
    mirror.signal?.throwIfAborted();
    const { changes, read, entitlementsError, withoutEntitlements } = crawled;
    if (entitlementsError !== null) await failed(mirror, SyncKind.ENTITLEMENTS, entitlementsError, withoutEntitlements);
    const left = (await countCustomers(mirror, startedAt)).unread;
    await inTransaction(async (em) => {
      await succeeded(em, SyncKind.ORDERS);
      if (read > 0 && entitlementsError === null) await entitlementsRead(em);
      if (left === 0) await closePass(em, SyncKind.ORDERS);
    });
    const problem = left === 0 ? null : `${left} customers could not be read; the same command reads them again.`;
    return { read, changes, entitlementsError, problem };
  });
  // Whatever they are about is here by now.
  const told = await attempt(SyncKind.RECORDS, () => syncRecords(mirror, { isOver }));
  return { ...report, told };
}

/** The same without keeping anything: says what would change. */
export async function drySync(mirror: Mirror, onProgress: OnProgress): Promise<SyncReport> {
  const { upstream, reads, signal } = mirror;
  const today = new Date().toISOString().slice(0, 10);
  let told = 0;
  for await (const page of upstream.records(today, today, signal)) told += (await unknownRecords(reads(), page)).length;
  const report: SyncReport = { told, read: 0, changes: noChanges(), entitlementsError: null, problem: null };
  let listed = 0;
  for await (const { items } of upstream.customers(null, signal)) {
    listed += items.length;
    for (const { tenantId } of items) {
      signal?.throwIfAborted();
      const { changes, entitlementsError } = await readHoldings(mirror, tenantId, true);
      addChanges(report.changes, changes);
      report.entitlementsError ??= entitlementsError;
      report.read += 1;
      onProgress(report.read, listed);
    }
  }
  return report;
}
