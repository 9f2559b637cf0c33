// `npm run bench:write`: purchases and cancellations a second through HTTP, beside the bare SQL of the same rows.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { connected, generate } from '../database.mjs';
import { startFlags } from '../servers.mjs';
import { freshOf, renamed, rowsOf } from './rows.mjs';

const USAGE = `Compares writes through the graph with the bare SQL of the same rows, on one PostgreSQL server.

  npm run bench:write -- [--writes N] [--rounds N] [--connections N]

  --writes N       purchases, and then cancellations, of each round (default 300)
  --rounds N       rounds, of which the one in the middle counts (default 3)
  --connections N  agents, each with a request in flight, or transactions (default 8)

DATABASE_URL says on which server a database is made (default postgres://postgres@127.0.0.1:5432/postgres).
`;
const text = { type: 'string' };
const { values } = parseArgs({
  options: { help: { type: 'boolean', default: false }, writes: text, rounds: text, connections: text },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const [writes, rounds, connections] = [values.writes ?? 300, values.rounds ?? 3, values.connections ?? 8].map(Number);
const server = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const name = `csp_graph_write_${process.pid}`;
const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
/** What is there before: plans for tables that are empty are not those of a partner who sells. */
const SIZE = { customers: 1_000, orders: 20_000, activity: 50_000 };
const PURCHASE = `mutation ($input: PurchaseInput!) { purchase(input: $input) { __typename
  ... on PurchaseSuccess { order { id status total { amount } } } } }`;
const CANCEL = `mutation ($input: CancelOrderInput!) { cancelOrder(input: $input) { __typename
  ... on CancelOrderSuccess { cancellation { id status } } } }`;

/** Does something so many times, so many at once. Answers what came of each, and how many there were in a second. */
async function paced(count, work, until = async () => undefined) {
  const results = [];
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async (_, lane) => {
      while (next < count) {
        const at = next++;
        results[at] = await work(at, lane);
      }
    }),
  );
  await until();
  return { results, perSecond: (count * 1_000) / (performance.now() - began) };
}

const middle = (numbers) => numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];

await connected(server, (client) => client.query(`create database ${name}`));
await generate(url, SIZE);
await connected(url, (client) => client.query('vacuum analyze'));
const child = fork(new URL('./gateway.mjs', import.meta.url), [String(connections)], {
  env: { ...process.env, DATABASE_URL: url },
  execArgv: startFlags,
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
});
const pool = new pg.Pool({ connectionString: url, max: connections });
try {
  const { url: address, tokens } = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the gateway stopped with ${code} before it served`)));
  });
  // As little of the machine as may be: what loads it is not what is measured.
  const keptAlive = new Agent({ keepAlive: true, maxSockets: connections });
  const post = (agent, query, variables) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${tokens[agent]}` };
      const sent = request(`${address}/graphql`, { method: 'POST', headers, agent: keptAlive }, async (response) => {
        const { data, errors } = await json(response);
        if (errors) reject(new Error(JSON.stringify(errors)));
        else resolve(data);
      });
      sent.once('error', reject);
      sent.end(JSON.stringify({ query, variables }));
    });
  const began = new Date();
  const customers = await stock();
  const buy = async (at, agent = 0) => {
    const customerId = `cus_${customers[at % customers.length]}`;
    const lines = [{ productId: 'DG7GMGF0FKZV', skuId: '0001', quantity: 1 }];
    const { purchase } = await post(agent, PURCHASE, { input: { idempotencyKey: randomUUID(), customerId, lines } });
    if (purchase.__typename !== 'PurchaseSuccess') throw new Error(JSON.stringify(purchase));
    return purchase.order.id;
  };
  const cancel = async (orderId, agent = 0) => {
    const input = { idempotencyKey: randomUUID(), orderId, acknowledged: true };
    const { cancelOrder } = await post(agent, CANCEL, { input });
    if (cancelOrder.__typename !== 'CancelOrderSuccess') throw new Error(JSON.stringify(cancelOrder));
  };
  const allConfirmed = async () => {
    for (;;) {
      const { rows } = await pool.query(
        `select from cancellations where status = 'PENDING' and requested_at > $1 limit 1`,
        [began],
      );
      if (rows.length === 0) return;
      await setTimeout(10);
    }
  };
  // What comes first is slow: code is compiled, statements are planned.
  const first = await paced(writes, buy);
  await paced(writes, (at, agent) => cancel(first.results[at], agent), allConfirmed);
  const bare = await bareWrites(buy, cancel, allConfirmed);
  const figures = [];
  for (let round = 0; round < rounds; round += 1) {
    const bought = await paced(writes, buy);
    const cancelled = await paced(writes, (at, agent) => cancel(bought.results[at], agent), allConfirmed);
    // What they send is made before: neither side's clock runs meanwhile.
    const sent = Array.from({ length: writes }, bare.statements);
    const written = await paced(writes, (at) => bare.purchase(sent[at]));
    const undone = await paced(writes, (at) => bare.cancel(sent[at]));
    figures.push({
      purchase: [bought.perSecond, written.perSecond],
      cancellation: [cancelled.perSecond, undone.perSecond],
    });
  }
  for (const what of ['purchase', 'cancellation']) {
    const [graph, sql, ratio] = [0, 1, 2].map((at) =>
      middle(figures.map(({ [what]: [one, other] }) => [one, other, one / other][at])),
    );
    console.log(
      `${what}s: ${graph.toFixed(0)}/s through HTTP, ${sql.toFixed(0)}/s as bare SQL: ${ratio.toFixed(2)} (${writes} a round, ${connections} at once, middle of ${rounds})`,
    );
  }
} finally {
  await pool.end();
  const gone = new Promise((resolve) => child.once('exit', resolve));
  if (child.connected) child.disconnect();
  if (child.exitCode === null) await gone;
  await connected(server, (client) => client.query(`drop database ${name} with (force)`));
}

/** Customers and a price. Answers the customers' ids. */
async function stock() {
  const ids = Array.from({ length: 20 }, () => randomUUID());
  for (const id of ids)
    await pool.query(
      `insert into customers (id, tenant_id, domain, company_name, market_code, segment, contact_first_name, contact_last_name, contact_email, created_at)
       values ($1, gen_random_uuid(), $2, 'Company', 'US', 'COMMERCIAL', 'Pat', 'Doe', 'pat@example.com', now())`,
      [id, `${id.slice(0, 8)}.onmicrosoft.com`],
    );
  await pool.query(
    `insert into prices (id, sku_id, market_code, currency, segment, unit_price, effective_start_date, effective_end_date, source)
     select gen_random_uuid(), s.id, 'US', 'USD', 'COMMERCIAL', 13748, '2020-01-01', '9999-11-30', 'INVENTED'
     from skus s join products p on p.id = s.product_id where p.product_id = 'DG7GMGF0FKZV' and s.sku_id = '0001'
     on conflict do nothing`,
  );
  return ids;
}

/** The same rows as the gateway writes, by statements that one would write by hand: two transactions for a cancellation. */
async function bareWrites(buy, cancel, allConfirmed) {
  const orderId = (await buy(0)).slice(4);
  const ofOrder = '(select id from order_lines where order_id = $1)';
  const entries = (actions) => `order_id = $1 and action in (${actions.map((one) => `'${one}'`).join()})`;
  const client = await pool.connect();
  const keyOf = (operation) => `operation = '${operation}' and answer ->> 'orderId' = $1::text`;
  const bought = await rowsOf(client, orderId, [
    { table: 'orders', where: 'id = $1' },
    { table: 'order_lines', where: 'order_id = $1' },
    { table: 'entitlements', where: `order_line_id in ${ofOrder}` },
    { table: 'invoice_lines', where: `order_line_id in ${ofOrder}` },
    { table: 'activity_entries', where: entries(['ORDER_PLACED', 'ORDER_CONFIRMED']) },
    { table: 'idempotency_keys', where: keyOf('purchase') },
  ]);
  await cancel(`ord_${orderId}`);
  await allConfirmed();
  const asked = await rowsOf(client, orderId, [
    { table: 'cancellations', where: 'order_id = $1' },
    { table: 'cancellation_lines', where: `order_line_id in ${ofOrder}` },
    { table: 'activity_entries', where: entries(['CANCELLATION_REQUESTED']) },
    { table: 'idempotency_keys', where: keyOf('cancelOrder') },
  ]);
  const confirmed = await rowsOf(client, orderId, [
    { table: 'invoice_lines', where: `kind = 'CREDIT' and order_line_id in ${ofOrder}` },
    { table: 'activity_entries', where: entries(['CANCELLATION_CONFIRMED']) },
  ]);
  const { rows: own } = await client.query(
    `select "number", "key" from orders, idempotency_keys where orders.id = $1 and answer ->> 'orderId' = $1::text`,
    [orderId],
  );
  const { rows: ids } = await client.query(
    `select id::text from orders where id = $1 union all select id::text from order_lines where order_id = $1
     union all select id::text from entitlements where order_line_id in ${ofOrder}
     union all select id::text from invoice_lines where order_line_id in ${ofOrder}
     union all select id::text from activity_entries where order_id = $1
     union all select id::text from cancellations where order_id = $1
     union all select id::text from cancellation_lines where order_line_id in ${ofOrder}`,
    [orderId],
  );
  client.release();
  const uuids = [...ids.map(({ id }) => id), ...own.map(({ key }) => key)];
  const transaction = async (statements) => {
    const connection = await pool.connect();
    try {
      await connection.query('begin');
      for (const statement of statements) await connection.query(statement);
      await connection.query('commit');
    } finally {
      connection.release();
    }
  };
  const set = (table, what, where, values) => ({
    name: `set ${table} ${what}`.slice(0, 60),
    text: `update "${table}" set ${what} where ${where}`,
    values,
  });
  const lines = 'order_line_id in (select id from order_lines where order_id = $1)';
  return {
    statements: () => {
      const fresh = freshOf(uuids, [own[0].number]);
      const order = fresh.get(orderId);
      const job = [randomUUID(), JSON.stringify({ orderId: order })];
      return {
        bought: renamed(bought, fresh),
        asked: [
          ...renamed(asked, fresh),
          set('order_lines', `status = 'CANCELLATION_PENDING'`, 'order_id = $1', [order]),
          {
            name: 'job',
            text: `insert into pgboss.job (id, name, data, start_after, keep_until) values ($1, 'cancellation', $2, now() + interval '1 day', now() + interval '1 year')`,
            values: job,
          },
        ],
        confirmed: [
          { name: 'done', text: `delete from pgboss.job where name = 'cancellation' and id = $1`, values: [job[0]] },
          set('order_lines', `status = 'CANCELLED'`, 'order_id = $1', [order]),
          set('orders', `status = 'CANCELLED'`, 'id = $1', [order]),
          set('cancellations', 'confirmed_at = now()', 'order_id = $1', [order]),
          set('entitlements', `status = 'REVOKED', revoked_at = now()`, lines, [order]),
          ...renamed(confirmed, fresh),
        ],
      };
    },
    purchase: ({ bought: statements }) => transaction(statements),
    cancel: async ({ asked: first, confirmed: second }) => {
      await transaction(first);
      await transaction(second);
    },
  };
}
