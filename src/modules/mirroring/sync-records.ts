import { sql } from 'kysely';
import { SyncKind } from '../../domain/sync-kind.js';
import { type ToldRecord, UpstreamDenied } from '../../domain/upstream.js';
import { cancelAllBought, cancelMirrored } from './cancel-lines.js';
import { lockListed } from './keep-customers.js';
import { keepOrders } from './keep-orders.js';
import type { KnownLine } from './known-lines.js';
import type { Mirror } from './mirror.js';
import { operationOf } from './own-records.js';
import { readHoldings } from './read-holdings.js';
import type { Bounds } from './sync.js';
import { succeeded } from './sync-entries.js';
import { closePass, keepPosition, openPass } from './sync-states.js';
import { tellRecords, unknownRecords } from './tell-records.js';

const DAY_MS = 86_400_000;
/** Days of one request, at most. */
const DAYS_AT_ONCE = 30;
/** How long it is kept which records are known: longer than the upstream answers them. */
const KEPT_DAYS = 100;

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/**
 * Reads what was done upstream since the last time, and a day more, for records come late; yesterday and today the first
 * time. What is known is skipped. Answers how many records were told.
 */
export async function syncRecords(mirror: Mirror, { isOver, onProgress }: Bounds): Promise<number> {
  const { upstream, inTransaction, reads, signal } = mirror;
  const pass = await inTransaction((em) => openPass(em, SyncKind.RECORDS, 0));
  if (!pass) return 0;
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const last = Math.floor((pass.finishedAt?.getTime() ?? today) / DAY_MS) * DAY_MS;
  let told = 0;
  for (let from = Math.max(last - DAY_MS, today - (upstream.recordDays - 1) * DAY_MS); from <= today; ) {
    const until = Math.min(from + (DAYS_AT_ONCE - 1) * DAY_MS, today);
    for await (const page of upstream.records(dayOf(from), dayOf(until), signal)) {
      const fresh = await unknownRecords(reads(), page);
      await look(mirror, fresh);
      await inTransaction(async (em) => {
        told += await tellRecords(em, upstream, fresh);
        await keepPosition(em, SyncKind.RECORDS, dayOf(from), page.length);
        await succeeded(em, SyncKind.RECORDS);
      });
      onProgress?.(told);
      // What is left is read from the beginning the next time, and known records cost little.
      if (isOver()) return told;
    }
    from = until + DAY_MS;
  }
  await inTransaction(async (em) => {
    await closePass(em, SyncKind.RECORDS);
    await sql`delete from "upstream_records" where "happened_at" < now() - make_interval(days => ${KEPT_DAYS})`.execute(
      em.getKysely(),
    );
  });
  return told;
}

/**
 * Looks at what records are about, so that what is told of is here: customers who are new, and orders by their ids. What cannot
 * be looked at is told all the same, and read with its customer: one of them must not keep back all news.
 */
async function look(mirror: Mirror, fresh: readonly ToldRecord[]): Promise<void> {
  const listed = new Set<string>();
  const looked = new Set<string>();
  const changed = new Set(fresh.filter((one) => operationOf(one) === 'updateorder').map(({ orderId }) => orderId));
  for (const record of fresh) {
    const { tenantId, orderId } = record;
    if (!tenantId) continue;
    if (!listed.has(tenantId)) {
      listed.add(tenantId);
      if (!(await isHere(mirror, tenantId))) await unlessStopped(mirror, () => readHoldings(mirror, tenantId));
    }
    if (!orderId || looked.has(orderId)) continue;
    looked.add(orderId);
    if (changed.has(orderId) || !(await isOrderHere(mirror, orderId)))
      await unlessStopped(mirror, () => lookAtOrder(mirror, tenantId, orderId));
  }
}

/** Does what may fail. @throws where it is to stop */
async function unlessStopped({ signal }: Mirror, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (signal?.aborted) throw error;
  }
}

async function isHere({ reads }: Mirror, tenantId: string): Promise<boolean> {
  const rows = await reads().execute(
    'select from "upstream_customers" where "tenant_id" = ? and "customer_id" is not null',
    [tenantId],
  );
  return rows.length > 0;
}

async function isOrderHere({ reads }: Mirror, orderId: string): Promise<boolean> {
  const rows = await reads().execute(
    'select from "upstream_lines" where "upstream_order_id" = ? or "alternate_id" = lower(?) limit 1',
    [orderId, orderId],
  );
  return rows.length > 0;
}

/** Keeps one order as it is now: lists have it only later. */
async function lookAtOrder(mirror: Mirror, tenantId: string, orderId: string): Promise<void> {
  const { upstream, inTransaction, signal } = mirror;
  const readAt = new Date();
  let bought: KnownLine[] = [];
  try {
    const order = await upstream.order(tenantId, orderId, signal);
    await inTransaction(async (em) => {
      const holder = await lockListed(em, tenantId);
      bought = [];
      if (!holder?.customerId || !holder.market) return;
      const { customerId, market } = holder;
      const { toCancel } = await keepOrders(em, { customerId, market }, { orders: [order], readAt, isAll: null });
      bought = toCancel.filter(({ isMirrored }) => !isMirrored);
      await cancelMirrored(
        em,
        toCancel.filter(({ isMirrored }) => isMirrored),
      );
    });
    await cancelAllBought(mirror, bought);
  } catch (error) {
    if (!(error instanceof UpstreamDenied)) throw error;
  }
}
