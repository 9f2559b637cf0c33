import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Orm, openOrm } from '../../src/database/orm.js';
import { entities } from '../../src/schema/entities.js';
import { loadReferenceData } from '../../src/seed/reference/load-reference-data.js';
import {
  codesClosedToReservations,
  referenceClosures,
  referenceMarkets,
  referenceProducts,
  referenceTermsOf,
  softwareSubscriptionClosures,
} from '../../src/seed/reference/reference-data.js';
import { type TestDatabase, testDatabase } from '../support/database.js';

let database: TestDatabase;
let orm: Orm;
const select = <Row = Record<string, string>>(query: string): Promise<Row[]> =>
  orm.em.fork().execute(query) as Promise<Row[]>;

beforeAll(async () => {
  database = await testDatabase();
  orm = await openOrm(database.config, { entities, pglite: database.pglite });
});
afterAll(async () => {
  await orm.close(true);
  await database.drop();
});

test('rule 1: the table of closed markets has 109 rows of 106 codes, and every code is closed to reservations', async () => {
  expect(referenceClosures).toHaveLength(109);
  expect(codesClosedToReservations.size).toBe(106);
  expect(referenceMarkets.size).toBe(250);
  const closed = await select<{ market_code: string; kind: string }>('select market_code, kind from market_closures');
  expect(new Set(closed.map((row) => row.market_code))).toEqual(codesClosedToReservations);
  expect(new Set(closed.map((row) => row.kind))).toEqual(new Set(['AZURE_RESERVATION']));
});

test('rule 2: prices include tax in Australia and Brazil only', async () => {
  expect(await select('select code from markets where tax_inclusive order by code')).toEqual([
    { code: 'AU' },
    { code: 'BR' },
  ]);
});

test('rules 13 and 25: every SKU has the policy of its kind', () => {
  const skus = referenceProducts.flatMap((product) => product.skus);
  expect(skus).toHaveLength(45);
  const [full, partial] = (['FULL', 'PARTIAL'] as const).map((type) => [{ sequence: 0, type, expiresAfter: 'P30D' }]);
  for (const sku of skus) {
    const { refundOptions, supportRequestRequired } = referenceTermsOf(sku, new Date());
    if (supportRequestRequired || sku.kind === 'LINUX_PLAN') expect(refundOptions).toEqual([]);
    else if (sku.kind === 'PERPETUAL_SOFTWARE') expect(refundOptions).toEqual(full);
    else if (!sku.policy) expect(refundOptions).toEqual(partial);
    if (sku.kind === 'AZURE_RESERVATION') expect(supportRequestRequired).toBe(true);
    if (sku.kind === 'LINUX_PLAN') expect(supportRequestRequired).toBe(false);
  }
  expect(skus.flatMap(({ policy }) => (policy ? [policy.refundOptions.length] : [])).toSorted()).toEqual([0, 2, 2]);
});

test('rule 1: the list for software subscriptions has 110 rows of 107 codes, Brazil and Russia among them, and is not loaded', () => {
  expect(softwareSubscriptionClosures).toHaveLength(110);
  const codes = new Set(softwareSubscriptionClosures.map(({ code }) => code));
  expect([...codes].filter((code) => !codesClosedToReservations.has(code))).toEqual(['BR', 'RU']);
  expect([...codesClosedToReservations].filter((code) => !codes.has(code))).toEqual(['AZ']);
  expect(codes.size).toBe(107);
  expect([...codes].filter((code) => !referenceMarkets.has(code))).toEqual([]);
});

test('loading them again adds nothing and overwrites nothing', async () => {
  await orm.em.fork().execute("update products set title = 'Imported' where product_id = 'CFQ7TTC0LH18'");
  // An operator's: a policy is changed, one is added, one is taken away; a market is opened.
  await orm.em.fork().execute(`update cancellation_policies set refund_options = '[]' where sku_id is not null`);
  await orm.em
    .fork()
    .execute(`delete from cancellation_policies where effective_date < '2021-06-01' and kind = 'PERPETUAL_SOFTWARE'`);
  await orm.em
    .fork()
    .execute(
      `insert into cancellation_policies (id, kind, effective_date) values (gen_random_uuid(), 'SOFTWARE_SUBSCRIPTION', '2026-01-01')`,
    );
  await orm.em.fork().execute(`delete from market_closures where market_code = 'CN'`);
  const rows = () =>
    select(
      `select (select count(*) from skus) as skus, (select count(*) from software_versions) as versions, (select count(*) from markets) as markets,
        (select json_agg(p order by p.id) from cancellation_policies p) as policies, (select count(*) from market_closures) as closures`,
    );
  const before = await rows();
  await loadReferenceData(orm.em.fork());
  expect(await rows()).toEqual(before);
  expect(await select("select title from products where product_id = 'CFQ7TTC0LH18'")).toEqual([{ title: 'Imported' }]);
});
