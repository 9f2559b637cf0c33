import { AdvisoryLock } from '../../database/advisory-locks.js';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em, Orm } from '../../database/orm.js';
import type { EncryptionKey } from '../../modules/entitlements/product-key.js';
import { rollUpAllSales } from '../../modules/sales/roll-up-sales.js';
import { marketOf } from '../reference/reference-data.js';
import { ActivityWriter } from './activity-writer.js';
import { type Counts, countAll, hasRows, pricedSkus } from './already-there.js';
import { closeMonths } from './close-months.js';
import { contosoOrderCount, generateContoso } from './contoso.js';
import { customerRow, type DemoCustomer, makeCustomers } from './customers.js';
import type { Demo } from './demo.js';
import { demoMarkets } from './demo-markets.js';
import { generateOrders } from './generate-orders.js';
import { Batch } from './insert-rows.js';
import { InvoiceWriter } from './invoice-writer.js';
import { priceRows } from './prices.js';
import { SeededRandom } from './random.js';
import { generateRevocation } from './revocation.js';
import { publishActivity, stageActivity } from './staged-activity.js';

/** How much to load. */
export interface DemoSize {
  customers: number;
  orders: number;
  /** Activity entries; more where the orders alone need more. */
  activity: number;
}

/** The set that a first start gets. */
export const defaultDemoSize: DemoSize = { customers: 220, orders: 1_500, activity: 5_500 };

/** What `loadDemo` needs; the size is the default one unless told. */
export interface DemoOptions extends Partial<DemoSize> {
  /** Same seed, same `now`, same rows; only encrypted keys differ. */
  seed?: number;
  /** The instant up to which the story is told. */
  now: Date;
  /** The first one encrypts the keys. */
  productKeySecrets: readonly EncryptionKey[];
  /** Adds new customers to those that are there, instead of refusing. */
  append?: boolean;
  /** Hears how many orders and entries are done, of how many. */
  onProgress?: (done: number, total: number) => void;
}

/** The database has customers already: nothing was loaded. */
export class DemoRefused extends Error {
  override name = 'DemoRefused';
}

/** Whether there are customers, demonstration or real. */
export async function demoIsLoaded(orm: Orm): Promise<boolean> {
  return hasRows(orm.em.fork(), 'customers');
}

/** Loads the default set where there is no customer yet. Answers whether it did. Reference data must be loaded. */
export async function loadDemoOnFirstStart(orm: Orm, options: DemoOptions): Promise<boolean> {
  if (await demoIsLoaded(orm)) return false;
  try {
    await loadDemo(orm, options);
    return true;
  } catch (error) {
    // Another process was quicker; its rows are the same.
    if (error instanceof DemoRefused) return false;
    throw error;
  }
}

/**
 * Fills the database with invented customers, orders and all that follows from them, by the gateway's own rules. All or
 * nothing: one transaction. Facts (`loadReferenceData`) must be there.
 * @throws {DemoRefused} where there are customers and `append` is not set
 */
export async function loadDemo(orm: Orm, options: DemoOptions): Promise<DemoSize> {
  const size: DemoSize = {
    customers: options.customers ?? defaultDemoSize.customers,
    orders: options.orders ?? defaultDemoSize.orders,
    activity: options.activity ?? defaultDemoSize.activity,
  };
  const loaded = await orm.em.fork().transactional(async (em) => {
    await em.execute('set local statement_timeout = 0');
    await em.execute('set local idle_in_transaction_session_timeout = 0');
    inLockOrder(em, 'DEMO_LOAD');
    await em.execute(`select pg_advisory_xact_lock(${AdvisoryLock.DEMO_LOAD})`);
    const first = await countAll(em);
    if (first.customers > 0 && !options.append) {
      throw new DemoRefused(
        `The database has ${first.customers} customers already. Nothing was loaded; --append adds to them.`,
      );
    }
    return load(em, options, size, first);
  });
  await rollUpAllSales((work) =>
    orm.em.fork().transactional(async (em) => {
      await em.execute('set local statement_timeout = 0');
      return work(em);
    }),
  );
  await orm.em.fork().execute('analyze');
  return loaded;
}

async function load(em: Em, options: DemoOptions, size: DemoSize, first: Counts): Promise<DemoSize> {
  const [encryption] = options.productKeySecrets;
  if (!encryption) throw new Error('No key to encrypt product keys with');
  const seed = options.seed ?? 1;
  const demo: Demo = {
    seed,
    now: options.now,
    random: new SeededRandom(seed, `orders from ${first.orders}`),
    skus: await pricedSkus(em),
    encryption,
    batch: new Batch(em),
    activity: new ActivityWriter(first.activity),
    invoices: new InvoiceWriter(first.closedMonths),
    supportRequests: first.supportRequests,
  };
  await stageActivity(em);

  for (const { code } of demoMarkets) {
    for (const row of priceRows(seed, demo.skus, marketOf(code), demo.now)) demo.batch.add('prices', row);
    await demo.batch.insertIfFull();
  }
  const customers = makeCustomers(seed, first.customers, size.customers, demo.now);
  for (const customer of customers) demo.batch.add('customers', customerRow(customer));

  const total = size.orders + size.activity;
  const isFirstLoad = first.customers === 0;
  const told = isFirstLoad && size.orders >= contosoOrderCount ? contosoOrderCount : 0;
  if (isFirstLoad) generateRevocation(demo);
  if (told > 0) generateContoso(demo, customers[0] as DemoCustomer, first.orders);
  const plan = { first: first.orders + told, count: size.orders - told, entries: size.activity };
  for (const orders of generateOrders(demo, customers, plan)) {
    options.onProgress?.(told + orders, total);
    await demo.batch.insertIfFull();
  }
  await demo.batch.insert();
  await closeMonths(em, demo);
  await demo.batch.insert();
  await publishActivity(em, (entries) =>
    options.onProgress?.(size.orders + Math.round((entries / demo.activity.written) * size.activity), total),
  );
  return { customers: size.customers, orders: size.orders, activity: demo.activity.written };
}
