import type { Em } from '../../database/orm.js';
import {
  type ToldEntitlement,
  type ToldOrder,
  type ToldProfile,
  type ToldSubscription,
  UpstreamDenied,
} from '../../domain/upstream.js';
import { cancelAllBought, cancelMirrored } from './cancel-lines.js';
import { adoptCustomer, lockListed, markGone, noteRead } from './keep-customers.js';
import { keepEntitlements, keepSubscriptions } from './keep-licences.js';
import { keepOrders } from './keep-orders.js';
import type { KnownLine } from './known-lines.js';
import { addChanges, type Changes, type Mirror, noChanges } from './mirror.js';
import { WITHOUT_ENTITLEMENTS } from './turns.js';

/** When what was left for later, or could not be read, is read again. */
const AGAIN_SECONDS = 300;

/** What the upstream told of one customer. */
interface Holdings {
  readAt: Date;
  /** Read where they are no customer here yet. */
  profile: ToldProfile | null;
  orders: ToldOrder[];
  subscriptions: ToldSubscription[];
  entitlements: ToldEntitlement[];
}

/** What came of reading a customer. */
export interface HoldingsRead {
  changes: Changes;
  /** Why entitlements could not be read, which are told only in the name of somebody who has signed in. */
  entitlementsError: string | null;
}

/** Says that a transaction is to leave nothing behind. */
class DryRun extends Error {}

/**
 * Reads what a customer has upstream, and keeps it in one transaction. One whom the upstream denies is marked.
 * @param isDry nothing is kept, and what would be is counted
 * @throws whatever the upstream could not be asked for
 */
export async function readHoldings(mirror: Mirror, tenantId: string, isDry = false): Promise<HoldingsRead> {
  let told: Holdings;
  let entitlementsError: string | null = null;
  try {
    ({ told, entitlementsError } = await ask(mirror, tenantId));
  } catch (error) {
    if (!(error instanceof UpstreamDenied)) throw error;
    const changes = { ...noChanges(), left: 1, firstLeft: error.message };
    if (!isDry)
      await mirror.inTransaction((em) =>
        error.reason === 'MISSING'
          ? markGone(em, tenantId)
          : noteRead(em, tenantId, { readAt: new Date(), problem: error.message, againInSeconds: null }),
      );
    return { changes, entitlementsError };
  }
  const changes = noChanges();
  let bought: KnownLine[] = [];
  try {
    await mirror.inTransaction(async (em) => {
      const kept = await keep(mirror, em, tenantId, told, entitlementsError);
      Object.assign(changes, noChanges());
      addChanges(changes, kept.changes);
      bought = kept.bought;
      if (isDry) throw new DryRun();
    });
  } catch (error) {
    if (!(error instanceof DryRun)) throw error;
  }
  changes.cancelled += isDry ? bought.length : await cancelAllBought(mirror, bought);
  return { changes, entitlementsError };
}

async function ask({ upstream, reads, signal }: Mirror, tenantId: string) {
  const readAt = new Date();
  const [known] = await reads().execute<{ customerId: string | null }[]>(
    'select "customer_id" as "customerId" from "upstream_customers" where "tenant_id" = ?',
    [tenantId],
  );
  const profile = known?.customerId ? null : await upstream.customer(tenantId, signal);
  const orders = await upstream.orders(tenantId, signal);
  const subscriptions = await upstream.subscriptions(tenantId, signal);
  let entitlements: ToldEntitlement[] = [];
  let entitlementsError: string | null = null;
  try {
    entitlements = await upstream.entitlements(tenantId, signal);
  } catch (error) {
    // Who is interrupted is read again, as a whole.
    signal?.throwIfAborted();
    entitlementsError = (error as Error).message;
  }
  return { told: { readAt, profile, orders, subscriptions, entitlements }, entitlementsError };
}

async function keep(
  { upstream }: Mirror,
  em: Em,
  tenantId: string,
  { readAt, profile, orders, subscriptions, entitlements }: Holdings,
  entitlementsError: string | null,
): Promise<{ changes: Changes; bought: KnownLine[] }> {
  const listed = await lockListed(em, profile ?? tenantId);
  const adopted = listed?.customerId
    ? { customerId: listed.customerId, market: listed.market as string, isNew: false }
    : profile
      ? await adoptCustomer(em, profile)
      : { problem: 'It is listed no more.' };
  if ('problem' in adopted) {
    await noteRead(em, tenantId, { readAt, problem: adopted.problem, againInSeconds: null });
    return { changes: { ...noChanges(), left: 1, firstLeft: adopted.problem }, bought: [] };
  }
  const { customerId, market, isNew } = adopted;
  const kept = await keepOrders(
    em,
    { customerId, market },
    { orders, readAt, isAll: { behindMs: upstream.listsBehindMs } },
  );
  const ended = await keepSubscriptions(em, customerId, subscriptions);
  await keepEntitlements(em, customerId, entitlements);
  const cancelled = [...kept.toCancel, ...(await kept.linesOf(ended))];
  const changes = { ...kept.changes, customers: isNew ? 1 : 0 };
  changes.cancelled += await cancelMirrored(
    em,
    cancelled.filter(({ isMirrored }) => isMirrored),
  );
  const problem = entitlementsError === null ? changes.firstLeft : `${WITHOUT_ENTITLEMENTS}${entitlementsError}`;
  await noteRead(em, tenantId, { readAt, problem, againInSeconds: kept.isWaiting ? AGAIN_SECONDS : null });
  return { changes, bought: cancelled.filter(({ isMirrored }) => !isMirrored) };
}
