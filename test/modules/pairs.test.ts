import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { inOwnTransaction } from '../../src/context/transaction.js';
import { toGlobalId } from '../../src/domain/global-id.js';
import { checkLedger } from '../../src/modules/billing/check-ledger.js';
import { closeMonth, issueInvoices } from '../../src/modules/billing/close-month.js';
import { CreateDownloadLinkDocument, InvoicesDocument, OrderDocument, RetryJobDocument } from '../generated/graphql.js';
import { cancel, confirming } from '../support/cancelling.js';
import { engine, serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { startTestGateway, type TestGateway, testJobs } from '../support/gateway.js';
import { aProductId, importList } from '../support/price-list.js';
import { aCustomer, buy, skus, stockShop } from '../support/shop.js';
import { buySoftware, entriesOf, linkOf, reveal, type TestSoftware } from '../support/software.js';
import { until } from '../support/until.js';

/** Somebody who holds a row needs a connection of their own: the embedded engine has one. */
const onServer = serverUrl ? test : test.skip;
const HOUR = 3_600_000;

/** What is done with something that was bought, by which gateway; answers what came of it in a word. */
type Act = (gateway: TestGateway, software: TestSoftware & { url: string }) => Promise<unknown>;

const acts = {
  cancel: async (gateway, { order }) => (await cancel(gateway, order)).__typename,
  reveal: async (gateway, { entitlementId, choice }) =>
    (await reveal(gateway, entitlementId, choice.version)).data.revealProductKey?.__typename,
  link: async (gateway, { entitlementId, choice }) =>
    (await gateway.run(CreateDownloadLinkDocument, { input: { entitlementId, ...choice } }, 'ADMIN_AGENT')).data
      .createDownloadLink?.__typename,
  download: async (gateway, { url }) => (await fetch(url.replace(/^http:\/\/[^/]+/, gateway.url))).status,
  refund: async (gateway, { customer, order }) => {
    const { data } = await gateway.run(
      'mutation ($input: SubmitSupportRequestInput!) { submitSupportRequest(input: $input) { __typename } }',
      {
        input: {
          idempotencyKey: randomUUID(),
          customerId: customer.id,
          orderId: order.id,
          topic: 'CSP Purchase/Refund on behalf of customers',
          impact: 'MINIMAL',
          title: 'title',
          description: 'description',
          contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
        },
      },
      'ADMIN_AGENT',
    );
    return data.submitSupportRequest.__typename;
  },
} satisfies Record<string, Act>;

/** Two things that can meet on one order, and what comes of them where the first one is first, and where it is not. */
const pairs: [first: keyof typeof acts, second: keyof typeof acts, inOrder: unknown[], reversed: unknown[]][] = [
  ['cancel', 'cancel', ['CancelOrderSuccess', 'CancellationPending'], ['CancellationPending', 'CancelOrderSuccess']],
  ['cancel', 'reveal', ['CancelOrderSuccess', 'EntitlementPending'], ['CancelOrderSuccess', 'RevealProductKeySuccess']],
  ['cancel', 'link', ['CancelOrderSuccess', 'EntitlementPending'], ['CancelOrderSuccess', 'CreateDownloadLinkSuccess']],
  ['cancel', 'download', ['CancelOrderSuccess', 410], ['CancelOrderSuccess', 200]],
  [
    'cancel',
    'refund',
    ['CancelOrderSuccess', 'SubmitSupportRequestSuccess'],
    ['CancelOrderSuccess', 'SubmitSupportRequestSuccess'],
  ],
  [
    'reveal',
    'reveal',
    ['RevealProductKeySuccess', 'RevealProductKeySuccess'],
    ['RevealProductKeySuccess', 'RevealProductKeySuccess'],
  ],
  ['download', 'download', [200, 200], [200, 200]],
];

describe(`pairs that meet, on ${engine}`, () => {
  let database: TestDatabase;
  let gateway: TestGateway;
  /** Another process on a server, so that both wait in the database. */
  let other: TestGateway;
  /** Where it is another one than the database's. */
  let clock: Date | null = null;
  beforeAll(async () => {
    database = await testDatabase();
    const config = { fulfilmentDelayMs: HOUR, jobs: testJobs };
    const start = () => startTestGateway({ database, config, now: () => clock ?? new Date() });
    gateway = await start();
    other = serverUrl ? await start() : gateway;
    await stockShop(gateway);
  });
  afterAll(async () => {
    if (other !== gateway) await other.gateway.stop();
    await gateway.stop();
  });

  const bought = async () => {
    const software = await buySoftware(gateway, await aCustomer(gateway));
    return { ...software, url: (await linkOf(gateway, software)).url };
  };
  /** What must be so whoever was first. */
  const agrees = async ({ order, entitlementId, customer }: TestSoftware, words: unknown[]) => {
    const { data } = await gateway.run(OrderDocument, { id: order.id }, 'ADMIN_AGENT');
    const requests = words.filter((word) => word === 'CancelOrderSuccess').length;
    expect(data.order?.cancellations).toHaveLength(requests);
    expect(data.order?.lines).toMatchObject([{ status: requests > 0 ? 'CANCELLATION_PENDING' : 'ACTIVE' }]);
    const [{ keys } = { keys: 0 }] = await gateway.sql<{ keys: number }>(
      'select count(*)::int as keys from product_keys where entitlement_id = ?',
      [entitlementId.slice(4)],
    );
    expect(keys).toBe(words.includes('RevealProductKeySuccess') ? 1 : 0);
    const actions = (await entriesOf(gateway, { customerId: customer.id })).map(({ action }) => action);
    const count = (action: string) => actions.filter((one) => one === action).length;
    expect(count('CANCELLATION_REQUESTED')).toBe(requests);
    expect(count('PRODUCT_KEY_REVEALED')).toBe(words.filter((word) => word === 'RevealProductKeySuccess').length);
    expect(count('SUPPORT_REQUEST_SUBMITTED')).toBe(words.includes('SubmitSupportRequestSuccess') ? 1 : 0);
    // One download is one for a link, an address and a day.
    expect(count('SOFTWARE_DOWNLOADED')).toBe(words.includes(200) ? 1 : 0);
    for (const action of ['PRODUCT_KEY_REVEALED', 'SOFTWARE_DOWNLOADED'])
      if (requests > 0 && actions.includes(action as never))
        expect(actions.indexOf(action as never)).toBeLessThan(actions.indexOf('CANCELLATION_REQUESTED'));
  };

  test.each(pairs)(
    '%s and %s at once: one is first, and the other sees what it did',
    async (one, two, inOrder, reversed) => {
      for (const isTurned of [false, true]) {
        const software = await bought();
        const [first, second] = isTurned
          ? await Promise.all([acts[two](other, software), acts[one](gateway, software)]).then(([b, a]) => [a, b])
          : await Promise.all([acts[one](gateway, software), acts[two](other, software)]);
        expect([inOrder, reversed]).toContainEqual([first, second]);
        await agrees(software, [first, second]);
      }
    },
  );

  onServer.each(pairs)(
    '%s and %s wait for whoever holds the order, and go on in turn',
    async (one, two, inOrder, reversed) => {
      for (const isTurned of [false, true]) {
        const software = await bought();
        const holder = new pg.Client((database.config as { url: string }).url);
        await holder.connect();
        await holder.query('begin');
        await holder.query('select from orders where number = $1 for update', [software.order.number]);
        const waiting = (count: number) =>
          until(`${count} wait for the order`, async () => {
            const rows = await gateway.sql(
              `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
            );
            return rows.length >= count;
          });
        const [early, late] = isTurned ? ([two, one] as const) : ([one, two] as const);
        const begun = acts[early](gateway, software);
        await waiting(1);
        const answers = Promise.all([begun, acts[late](other, software)]);
        await waiting(2);
        await holder.end();
        const words = isTurned ? (await answers).toReversed() : await answers;
        expect(words).toEqual(isTurned ? reversed : inOrder);
        await agrees(software, words);
      }
    },
  );

  test('a purchase and an import at once: all lines have the prices of one list', async () => {
    const products = [aProductId(), aProductId(), aProductId()];
    const customer = await aCustomer(gateway);
    const list = (n: number) =>
      importList(
        gateway,
        `2026-01-${String(n).padStart(2, '0')}`,
        products.map((productId) => ({ productId, unitPrice: `${n}.00` })),
      );
    await list(1);
    const lines = products.map((productId) => ({ productId, skuId: '0001', quantity: 1 }));
    for (let n = 2; n <= 4; n += 1) {
      const [, ...orders] = await Promise.all([list(n), ...[1, 2, 3].map(() => buy(other, customer, lines))]);
      for (const order of orders) expect([`${3 * n}.00`, `${3 * (n - 1)}.00`]).toContain(order.total?.amount);
      expect((await buy(gateway, customer, lines)).total?.amount).toBe(`${3 * n}.00`);
    }
    const [sums] = await gateway.sql(
      `select (select sum(total) from orders where customer_id = ?)::text as orders,
         (select sum(amount) from invoice_lines join invoices on invoices.id = invoice_id where customer_id = ?)::text as charges`,
      [customer.rowId, customer.rowId],
    );
    expect(sums?.['orders']).toBe(sums?.['charges']);
  });

  test('the closing of a month and the confirmation of a cancellation at once: on the invoice, or on a credit note', async () => {
    await gateway.sql(`update prices set effective_start_date = effective_start_date - interval '19 years'`);
    await gateway.sql(`update cancellation_policies set effective_date = effective_date - interval '19 years'`);
    const close = async (month: string) => {
      const { services } = other.gateway;
      await inOwnTransaction(services, (em) => closeMonth(em, month));
      await inOwnTransaction(services, (em) => issueInvoices(em, month, 100));
    };
    for (let year = 2005; year < 2009; year += 1) {
      clock = new Date(`${year}-07-15T10:00:00Z`);
      const customer = await aCustomer(gateway);
      const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
      const requested = await cancel(gateway, order);
      if (requested.__typename !== 'CancelOrderSuccess') throw new Error(JSON.stringify(requested));
      const jobId = toGlobalId('Job', requested.cancellation.id.slice(4));
      const [, answer] = await confirming(gateway, customer, () =>
        Promise.all([close(`${year}-07-01`), gateway.run(RetryJobDocument, { input: { jobId } })]),
      );
      expect(answer.data.retryJob).toMatchObject({ __typename: 'RetryJobSuccess' });
      const { data } = await gateway.run(InvoicesDocument, { filter: { customerId: customer.id } }, 'BILLING_ADMIN');
      const documents = data.invoices?.nodes.map(({ periodStart, status, total }) => [
        periodStart,
        status,
        total.amount,
      ]);
      expect([
        [[`${year}-07-01`, 'ISSUED', '0.00']],
        [
          [`${year}-08-01`, 'OPEN', '-13748.00'],
          [`${year}-07-01`, 'ISSUED', '13748.00'],
        ],
      ]).toContainEqual(documents);
    }
    expect((await checkLedger(gateway.gateway.services.kysely)).fault).toBeNull();
  });
});
