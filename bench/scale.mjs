// `npm run scale`: how long pages and sums take on tables of any size, as ratios to a first page. DATABASE_URL names an
// empty database of its own, which is filled first; one that has orders is measured as it is.
// SCALE_CUSTOMERS (20000), SCALE_ORDERS (200000), SCALE_ACTIVITY (2000000), SCALE_ROUNDS (15).
import pg from 'pg';
import { demoIdentity } from '../dist/src/auth/demo-identities.js';
import { signDemoToken } from '../dist/src/auth/tokens.js';
import { DEMO_PARTNER_TENANT_ID } from '../dist/src/config/auth-config.js';
import { readConfig } from '../dist/src/config/config.js';
import { rollUpAllSales } from '../dist/src/modules/sales/roll-up-sales.js';
import { startGateway } from '../dist/src/server/start-gateway.js';
import { fillByNumbers } from './scale-rows.mjs';

const number = (name, fallback) => Number(process.env[name] ?? fallback);
const rounds = number('SCALE_ROUNDS', 15);
const size = {
  customers: number('SCALE_CUSTOMERS', 20_000),
  orders: number('SCALE_ORDERS', 200_000),
  activity: number('SCALE_ACTIVITY', 2_000_000),
};
if (!process.env.DATABASE_URL) throw new Error('Say which PostgreSQL database: DATABASE_URL');
const config = {
  ...readConfig({ COST_LIMIT: '999999999', COST_BUDGET: '999999999', ...process.env }),
  port: 0,
  demoData: false,
  logLevel: 'silent',
};
const gateway = await startGateway(config);
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
const one = async (statement) => (await client.query(statement)).rows[0];

if (!(await one('select from orders limit 1'))) {
  const began = performance.now();
  await fillByNumbers(
    (statement) => client.query(statement),
    size,
    (what) => console.error(what),
  );
  console.error(`filled in ${Math.round((performance.now() - began) / 1000)} s`);
}
await rollUpAllSales((work) =>
  gateway.services.orm.em.fork().transactional(async (em) => {
    await em.execute('set local statement_timeout = 0');
    return work(em);
  }),
);
await client.query('vacuum analyze');
console.log(
  Object.entries(
    await one(`select (select count(*) from customers) as customers, (select count(*) from orders) as orders,
      (select count(*) from activity_entries) as activity, (select count(*) from sales_by_product) as "totals by product"`),
  )
    .map(([what, count]) => `${count} ${what}`)
    .join(', '),
);

const token = await signDemoToken(demoIdentity('GLOBAL_ADMIN', DEMO_PARTNER_TENANT_ID), '1h', config.signingSecret);
async function ask(query, variables = {}) {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}
const list = (name, filterType, orderType) =>
  `query($after: String, $filter: ${filterType}, $orderBy: ${orderType}) { list: ${name}(first: 20, after: $after, filter: $filter, orderBy: $orderBy) { nodes { id } pageInfo { endCursor } } }`;
const log = list('activity', 'ActivityFilter', 'ActivityOrder');
const orders = list('orders', 'OrderFilter', 'OrderOrder');
const newest = { direction: 'DESC' };
const middle = await one(
  `select xid::text, seq::text from activity_entries where seq = (select (min(seq) + max(seq)) / 2 from activity_entries)`,
);
const week = { from: '2025-01-01T00:00:00Z', to: '2025-01-08T00:00:00Z' };
const years = { from: '2024-11-02T06:00:00Z', to: '2026-10-31T18:00:00Z' };
const sales =
  'query($filter: SalesFilter, $groupBy: [SalesDimension!]!) { sales(filter: $filter, groupBy: $groupBy) { count quantity gross { amount } net { amount } } }';

const shapes = {
  'log, first page': [log, { orderBy: newest }],
  'log, a page in its middle': [log, { orderBy: newest, after: gateway.services.feedCursors.encode(middle) }],
  'log, a rare action': [log, { orderBy: newest, filter: { actions: ['ACCESS_DENIED'] } }],
  'log, an old week': [log, { orderBy: newest, filter: week }],
  'log, an old week of a rare action': [log, { orderBy: newest, filter: { ...week, actions: ['ACCESS_DENIED'] } }],
  'log, a rare actor': [log, { orderBy: newest, filter: { actor: 'seldom@partner.example' } }],
  'orders, first page': [orders, {}],
  'orders, of a rare status': [orders, { filter: { statuses: ['PENDING'] } }],
  'orders, of a kind': [orders, { filter: { kind: 'LINUX_PLAN' } }],
  'sales of all time by month': [sales, { groupBy: ['MONTH'] }],
  'sales of two years by month': [sales, { groupBy: ['MONTH'], filter: years }],
  'sales of two years by market and kind': [sales, { groupBy: ['MARKET', 'KIND'], filter: years }],
  'sales of two years by month, market and product': [
    sales,
    { groupBy: ['MONTH', 'MARKET', 'PRODUCT'], filter: years },
  ],
  'sales of two years by customer': [sales, { groupBy: ['CUSTOMER'], filter: years }],
};
let unit = 0;
for (const [name, [query, variables]] of Object.entries(shapes)) {
  const times = [];
  let rows = 0;
  await ask(query, variables);
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    const data = await ask(query, variables);
    times.push(performance.now() - began);
    rows = (data.sales ?? data.list.nodes).length;
  }
  const median = times.sort((a, b) => a - b)[Math.floor(rounds / 2)];
  unit ||= median;
  console.log(`${name}: ${(median / unit).toFixed(1)} (${median.toFixed(1)} ms, ${rows} rows)`);
}
await client.end();
await gateway.stop();
