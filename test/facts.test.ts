import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closedMarketFacts, codesClosedToReservations, marketFactsByCode, productFacts } from '../src/data/facts.js';
import { loadFacts } from '../src/data/load-facts.js';
import { type Orm, openOrm } from '../src/orm.js';
import { type TestDatabase, testDatabase } from './support/database.js';

let database: TestDatabase;
let orm: Orm;
const select = <Row = Record<string, string>>(query: string): Promise<Row[]> =>
  orm.em.fork().execute(query) as Promise<Row[]>;

beforeAll(async () => {
  database = await testDatabase();
  orm = await openOrm(database.config, database.pglite);
});
afterAll(async () => {
  await orm.close(true);
  await database.drop();
});

test("the seed's table has 109 rows of 106 codes, and every code is closed to reservations", async () => {
  expect(closedMarketFacts).toHaveLength(109);
  expect(codesClosedToReservations.size).toBe(106);
  expect(marketFactsByCode.size).toBe(250);
  const closed = await select<{ market_code: string; kind: string }>('select market_code, kind from market_closures');
  expect(new Set(closed.map((row) => row.market_code))).toEqual(codesClosedToReservations);
  expect(new Set(closed.map((row) => row.kind))).toEqual(new Set(['AZURE_RESERVATION']));
});

test('prices include tax in Australia and Brazil only (rule 2)', async () => {
  expect(await select('select code from markets where tax_inclusive order by code')).toEqual([
    { code: 'AU' },
    { code: 'BR' },
  ]);
});

test('every SKU has the policy of its kind (rules 13 and 25)', () => {
  const skus = productFacts.flatMap((product) => product.skus);
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
  await loadFacts(orm.em.fork());
  expect(
    await select(
      'select (select count(*) from skus) as skus, (select count(*) from software_versions) as versions, (select count(*) from markets) as markets',
    ),
  ).toEqual(before);
  expect(await select("select title from products where product_id = 'CFQ7TTC0LH18'")).toEqual([{ title: 'Imported' }]);
});
