import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Orm, openOrm } from '../../src/database/orm.js';
import { entities } from '../../src/schema/entities.js';
import { loadReferenceData } from '../../src/seed/reference/load-reference-data.js';
import {
  codesClosedToReservations,
  referenceClosures,
  referenceMarkets,
  referenceProducts,
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
  for (const { kind, cancellation, supportRequestRequired } of skus) {
    if (kind === 'LINUX_PLAN') expect([cancellation, supportRequestRequired]).toEqual([undefined, undefined]);
    else if (supportRequestRequired) expect(cancellation).toBeUndefined();
    else expect(cancellation?.refundType).toBe(kind === 'PERPETUAL_SOFTWARE' ? 'FULL' : 'PRORATED');
    if (kind === 'AZURE_RESERVATION') expect(supportRequestRequired).toBe(true);
  }
});

test('loading them again adds nothing and overwrites nothing', async () => {
  await orm.em.fork().execute("update products set title = 'Imported' where product_id = 'CFQ7TTC0LH18'");
  const before = await select(
    'select (select count(*) from skus) as skus, (select count(*) from software_versions) as versions, (select count(*) from markets) as markets',
  );
  await loadReferenceData(orm.em.fork());
  expect(
    await select(
      'select (select count(*) from skus) as skus, (select count(*) from software_versions) as versions, (select count(*) from markets) as markets',
    ),
  ).toEqual(before);
  expect(await select("select title from products where product_id = 'CFQ7TTC0LH18'")).toEqual([{ title: 'Imported' }]);
});
