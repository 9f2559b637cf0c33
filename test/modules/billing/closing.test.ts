import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { inOwnTransaction } from '../../../src/context/transaction.js';
import type { Em } from '../../../src/database/orm.js';
import { checkLedger } from '../../../src/modules/billing/check-ledger.js';
import { closeDueMonths } from '../../../src/modules/billing/close-due-months.js';
import { closeMonth, issueInvoices } from '../../../src/modules/billing/close-month.js';
import { InvoicesDocument } from '../../generated/graphql.js';
import { cancelled, confirming } from '../../support/cancelling.js';
import { engine, serverUrl } from '../../support/database.js';
import { type Caller, startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';
import { entriesOf } from '../../support/software.js';
import { until } from '../../support/until.js';

/** What is not faked where the machine's clock is. */
const ALL_BUT_DATE = [
  ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const),
  ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
];
const onServer = serverUrl ? test : test.skip;
if (!serverUrl) console.warn('What meets the closing of a month needs several connections: set TEST_DATABASE_URL.');

describe(`the closing of a month, on ${engine}`, () => {
  let gateway: TestGateway;
  let customer: TestCustomer;
  /** Null: the database's own, as where nothing is tested. */
  let clock: Date | null;
  /** Each test has months of its own. */
  let year = 2001;
  beforeAll(async () => {
    gateway = await startTestGateway({ now: (database?: Date) => clock ?? database ?? new Date() });
    await stockShop(gateway);
    await gateway.sql(`update prices set effective_start_date = '2000-01-01'`);
    await gateway.sql(
      `update cancellation_policies set effective_date = '2000-01-01'
       where id = (select id from cancellation_policies where kind = 'PERPETUAL_SOFTWARE' and sku_id is null order by effective_date limit 1)`,
    );
  });
  beforeEach(async () => {
    year += 1;
    customer = await aCustomer(gateway);
    at('07-15T10:00:00Z');
  });
  afterAll(() => gateway.stop());

  const at = (instant: string) => {
    clock = new Date(`${year}-${instant}`);
  };
  const inTransaction = <Result>(work: (em: Em) => Promise<Result>) => inOwnTransaction(gateway.gateway.services, work);
  const july = () => `${year}-07-01`;
  const purchase = (quantity = 1) => buy(gateway, customer, [{ ...skus.perpetual, quantity }]);
  const invoices = async (filter = {}) => {
    const all = { customerId: customer.id, ...filter };
    const { data, errors } = await gateway.run(InvoicesDocument, { filter: all }, 'BILLING_ADMIN');
    if (errors || !data.invoices) throw new Error(JSON.stringify(errors));
    return data.invoices.nodes.toReversed();
  };
  /** Month, state, kind of number and sum of each document, the oldest first. */
  const documents = async () =>
    (await invoices()).map(({ periodStart, status, number, total }) => [
      periodStart.slice(5, 7),
      status,
      number?.replace(/\d+$/, '') ?? null,
      total.amount,
    ]);
  /** Closes July and issues what is on it; the months after it, which are over too, are left. */
  const close = async () => {
    await inTransaction((em) => closeMonth(em, july()));
    await inTransaction((em) => issueInvoices(em, july(), 100));
  };
  const balances = async () => expect((await checkLedger(gateway.gateway.services.kysely)).fault).toBeNull();

  test('rule 16: an invoice is open and has no number until its month is closed, then it is issued with one', async () => {
    await purchase();
    expect(await invoices()).toMatchObject([{ status: 'OPEN', number: null, issuedAt: null, documentType: 'INVOICE' }]);
    await closeDueMonths(inTransaction, 0);
    const [invoice] = await invoices({ status: 'ISSUED' });
    expect(invoice).toMatchObject({ number: expect.stringMatching(/^INV-\d{9}$/), amendsOf: null, amendments: [] });
    // The clock of the database counts, not the gateway's, for which it is still July.
    expect(Math.abs(Date.now() - Date.parse(invoice?.issuedAt as string))).toBeLessThan(600_000);
    await balances();
  });

  test('rule 16: a closing is one entry, for the partner; how many documents it issued, for who reads invoices', async () => {
    await purchase();
    await close();
    await close();
    const of = async (as?: Caller) =>
      (await entriesOf(gateway, { actions: ['MONTH_CLOSED'] }, as)).filter(({ resource }) =>
        resource.label.startsWith(`${year}`),
      );
    const entry = { actor: { role: 'GATEWAY', application: 'billing' }, customer: null, resource: { type: 'MONTH' } };
    expect(await of()).toMatchObject([{ ...entry, detail: { month: july() } }]);
    const query =
      '{ activity(filter: { actions: [MONTH_CLOSED] }, last: 1) { nodes { detail { ... on MonthClosedDetail { month invoices creditNotes } } } } }';
    const counts = async (as: Caller) => (await gateway.run(query, {}, as)).data['activity'].nodes;
    expect(await counts('GLOBAL_ADMIN')).toEqual([{ detail: { month: july(), invoices: 1, creditNotes: 0 } }]);
    expect(await counts('ACCOUNT_ADMIN')).toEqual([{ detail: { month: july(), invoices: null, creditNotes: null } }]);
    const { domain, tenantId } = customer;
    expect(await of({ token: await gateway.token('CUSTOMER_ADMIN', { domain, tenantId }) })).toEqual([]);
  });

  test('rule 16: a month that is not over by the clock of the database is not closed, whatever clock the gateway has', async () => {
    clock = new Date();
    await purchase();
    const month = `${clock.toISOString().slice(0, 7)}-01`;
    clock = new Date(Date.now() + 400 * 86_400_000);
    await expect(inTransaction((em) => closeMonth(em, month))).rejects.toThrow(`the month of ${month} is not over`);
    await closeDueMonths(inTransaction, 0);
    expect(await invoices()).toMatchObject([{ status: 'OPEN' }]);
  });

  test.each([-40, 40])(
    'rule 16: the month of a booking is that of the clock of the database, by which months are closed, where the machine of a gateway is %i days off',
    async (days) => {
      clock = null;
      const [{ month } = { month: '' }] = await gateway.sql<{ month: string }>(
        `select date_trunc('month', now() at time zone 'UTC')::date::text as month`,
      );
      jest.useFakeTimers({ now: Date.now() + days * 86_400_000, doNotFake: ALL_BUT_DATE });
      try {
        await confirming(gateway, customer, async () => cancelled(gateway, await purchase()));
        expect(await invoices()).toMatchObject([{ periodStart: month, status: 'OPEN', total: { amount: '0.00' } }]);
      } finally {
        jest.useRealTimers();
      }
      await balances();
    },
  );

  test('rule 16: at the border of months the one that is closed is passed over, however many minutes a clock is behind', async () => {
    at('07-31T23:58:00Z');
    const [before, after] = [await purchase(1), await purchase(1)];
    await close();
    // July is over by the clock of the database, and has two minutes left by this one.
    await confirming(gateway, customer, () => cancelled(gateway, before));
    at('08-01T00:02:00Z');
    await confirming(gateway, customer, () => cancelled(gateway, after));
    expect(await documents()).toEqual([
      ['07', 'ISSUED', 'INV-', '27496.00'],
      ['08', 'OPEN', null, '-27496.00'],
    ]);
    await balances();
  });

  test('rule 16: what comes after the closing goes on the next open month, and the database refuses it on the closed one', async () => {
    await purchase(1);
    await close();
    await purchase(2);
    expect(await documents()).toEqual([
      ['07', 'ISSUED', 'INV-', '13748.00'],
      ['08', 'OPEN', null, '27496.00'],
    ]);
    const copied = (table: string, changes: string, where: string) =>
      gateway.sql(
        `insert into ${table} select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), ${changes}))).* from ${table} t where ${where}`,
      );
    const own = `customer_id = '${customer.rowId}' and period_start = '${july()}'`;
    const closed = `the month ${july()} is closed`;
    await expect(
      copied('invoice_lines', `'charge_type', 'RENEW'`, `invoice_id = (select id from invoices where ${own})`),
    ).rejects.toThrow(closed);
    await expect(copied('invoices', `'currency', 'EUR', 'number', null, 'issued_at', null`, own)).rejects.toThrow(
      closed,
    );
    for (const change of [`number = 'INV-999999999'`, `issued_at = null, number = null`, `currency = 'EUR'`])
      await expect(gateway.sql(`update invoices set ${change} where ${own}`)).rejects.toThrow(
        'closing of their month alone',
      );
    await expect(gateway.sql(`delete from invoices where ${own}`)).rejects.toThrow('invoices are kept');
    await expect(gateway.sql('truncate invoices cascade')).rejects.toThrow(/kept|append-only/);
    await expect(gateway.sql('delete from month_closings')).rejects.toThrow('append-only');
    await expect(gateway.sql('truncate month_closings')).rejects.toThrow('append-only');
    await balances();
  });

  test('rule 16: closing again changes nothing, and one that ended in the middle is gone on with', async () => {
    await purchase();
    await inTransaction((em) => closeMonth(em, july()));
    expect(await documents()).toEqual([['07', 'OPEN', null, '13748.00']]);
    await purchase();
    expect((await documents()).map(([month]) => month)).toEqual(['07', '08']);
    await closeDueMonths(inTransaction, 0);
    const issued = await invoices({ status: 'ISSUED', to: `${year}-08-01` });
    await inTransaction((em) => closeMonth(em, july()));
    expect(await inTransaction((em) => issueInvoices(em, july(), 100))).toBe(0);
    expect(await invoices({ status: 'ISSUED', to: `${year}-08-01` })).toEqual(issued);
  });

  test('rule 16: numbers have no gaps in their series, in however many batches they are given, and none where that was rolled back', async () => {
    const customers = [customer];
    for (let n = 0; n < 4; n += 1) customers.push(await aCustomer(gateway));
    for (const one of customers) await buy(gateway, one, [{ ...skus.perpetual, quantity: 1 }]);
    await inTransaction((em) => closeMonth(em, july()));
    expect(await inTransaction((em) => issueInvoices(em, july(), 2))).toBe(2);
    const lost = inTransaction(async (em) => {
      expect(await issueInvoices(em, july(), 2)).toBe(2);
      throw new Error('rolled back');
    });
    await expect(lost).rejects.toThrow('rolled back');
    await close();
    const all = await gateway.sql<{ number: string }>(
      `select substr(number, 5)::int as number from invoices where number like 'INV-%' order by number`,
    );
    expect(all.map(({ number }) => number)).toEqual(all.map((_, index) => index + 1));
    await balances();
  });

  test('rule 16: a credit after the closing is a credit note about the invoice of the charge; before, it is on the invoice', async () => {
    const [before, after] = [await purchase(1), await purchase(2)];
    await confirming(gateway, customer, () => cancelled(gateway, before));
    expect(await documents()).toEqual([['07', 'OPEN', null, '27496.00']]);
    await close();
    at('07-31T10:00:00Z');
    const other = await purchase(3);
    at('08-02T10:00:00Z');
    await confirming(gateway, customer, () => cancelled(gateway, after));
    // The charge of this one is on the invoice of August, where July was closed already.
    await confirming(gateway, customer, () => cancelled(gateway, other));
    const [invoice, ...rest] = await invoices();
    const note = rest.find(({ documentType }) => documentType === 'CREDIT_NOTE');
    const august = rest.find(({ documentType }) => documentType === 'INVOICE');
    expect(note).toMatchObject({
      periodStart: `${year}-08-01`,
      status: 'OPEN',
      number: null,
      total: { amount: '-27496.00' },
      amendsOf: { id: invoice?.id, number: invoice?.number },
      lines: [{ chargeType: 'CANCEL_IMMEDIATE', order: { id: after.id } }],
    });
    expect(invoice).toMatchObject({ total: { amount: '27496.00' }, amendments: [{ id: note?.id }] });
    expect(august?.lines.map(({ amount }) => amount.amount)).toEqual(['41244.00', '-41244.00']);
    await close();
    await inTransaction((em) => closeMonth(em, `${year}-08-01`));
    await inTransaction((em) => issueInvoices(em, `${year}-08-01`, 100));
    const issued = await invoices({ status: 'ISSUED' });
    expect(issued.map(({ number }) => number?.replace(/\d+$/, '')).toSorted()).toEqual(['CN-', 'INV-', 'INV-']);
    await balances();
  });

  test('rule 16: what would book from an older snapshot is refused, for it would not see the closing', async () => {
    const statement = inTransaction(async (em) => {
      await em.execute('set transaction isolation level repeatable read');
      return em.execute('select booking_month(now())');
    });
    await expect(statement).rejects.toThrow('READ COMMITTED');
  });

  /** Runs `work` beside a transaction of its own on the server; `locked` waits until something waits for it. */
  async function beside(work: (other: pg.Client, locked: () => Promise<void>) => Promise<void>) {
    const { database } = gateway.gateway.services.config;
    const other = new pg.Client(database.kind === 'server' ? database.url : '');
    await other.connect();
    const locked = () =>
      until('somebody waits for a lock', async () => {
        const waiting = await gateway.sql(
          `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`,
        );
        return waiting.length > 0;
      });
    try {
      await other.query('begin');
      await work(other, locked);
    } finally {
      await other.end();
    }
  }
  const BOOKING = 'select pg_advisory_xact_lock(4275031)';

  onServer('rule 16: a purchase that meets the closing waits for it, and is on the invoice of the next month', () =>
    beside(async (closer, locked) => {
      await purchase(1);
      await closer.query(BOOKING);
      await closer.query('insert into month_closings (month) values ($1)', [july()]);
      const late = purchase(2);
      await locked();
      await closer.query('commit');
      await late;
      await close();
      expect(await documents()).toEqual([
        ['07', 'ISSUED', 'INV-', '13748.00'],
        ['08', 'OPEN', null, '27496.00'],
      ]);
      await balances();
    }),
  );

  onServer('rule 16: a cancellation that meets the closing waits for it, and its credit is a credit note', () =>
    beside(async (closer, locked) => {
      const order = await purchase(1);
      await closer.query(BOOKING);
      await closer.query('insert into month_closings (month) values ($1)', [july()]);
      await confirming(gateway, customer, async () => {
        await cancelled(gateway, order);
        await locked();
        await closer.query('commit');
      });
      await close();
      expect((await documents()).map(([, , , total]) => total)).toEqual(['13748.00', '-13748.00']);
      await balances();
    }),
  );

  onServer('rule 16: the closing waits for what is being booked, and issues it', () =>
    beside(async (booker, locked) => {
      await purchase(1);
      await booker.query('select booking_month($1)', [clock]);
      await booker.query(
        `insert into invoice_lines select (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(), 'charge_type', 'RENEW'))).*
         from invoice_lines l join invoices i on i.id = l.invoice_id where i.customer_id = $1`,
        [customer.rowId],
      );
      const closing = inTransaction((em) => closeMonth(em, july()));
      await locked();
      await booker.query('commit');
      await closing;
      await close();
      expect(await documents()).toEqual([['07', 'ISSUED', 'INV-', '27496.00']]);
    }),
  );

  onServer('rule 16: what is booked for too long leaves the month open, and nothing behind it waits for long', () =>
    beside(async (booker, locked) => {
      await purchase(1);
      await booker.query('select booking_month($1)', [clock]);
      const closing = inTransaction((em) => closeMonth(em, july())).catch((error: Error) => error);
      await locked();
      // Behind the closing, which waits.
      await purchase(2);
      expect(String(await closing)).toMatch(/lock timeout/);
      expect(await documents()).toEqual([['07', 'OPEN', null, '41244.00']]);
      await booker.query('rollback');
      await close();
      expect(await documents()).toEqual([['07', 'ISSUED', 'INV-', '41244.00']]);
    }),
  );

  onServer('rule 16: two processes that issue one month leave no gap and give no number twice', async () => {
    const customers = [customer, ...(await Promise.all([1, 2, 3, 4, 5].map(() => aCustomer(gateway))))];
    for (const one of customers) await buy(gateway, one, [{ ...skus.perpetual, quantity: 1 }]);
    await inTransaction((em) => closeMonth(em, july()));
    const issued = await Promise.all(
      Array.from({ length: 4 }, () => inTransaction((em) => issueInvoices(em, july(), 2))),
    );
    expect(issued.toSorted()).toEqual([0, 2, 2, 2]);
    await balances();
  });
});
