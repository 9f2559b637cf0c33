import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Role } from '../../../src/auth/role.js';
import { issueInvoices } from '../../../src/modules/billing/close-month.js';
import { InvoicesDocument } from '../../generated/graphql.js';
import { cancelled, confirming } from '../../support/cancelling.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, aPrice, aSku, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';

describe(`invoices, on ${engine}`, () => {
  let gateway: TestGateway;
  let clock: Date;
  beforeAll(async () => {
    gateway = await startTestGateway({ now: () => clock });
    await stockShop(gateway);
  });
  beforeEach(() => {
    clock = new Date('2026-07-15T10:00:00Z');
  });
  afterAll(() => gateway.stop());

  const at = (instant: string) => {
    clock = new Date(instant);
  };
  const perpetual = (quantity = 1) => ({ ...skus.perpetual, quantity });
  const invoicesOf = async (customer: TestCustomer, filter = {}) => {
    const { data, errors } = await gateway.run(
      InvoicesDocument,
      { filter: { customerId: customer.id, ...filter } },
      'BILLING_ADMIN',
    );
    if (errors || !data.invoices) throw new Error(JSON.stringify(errors));
    return data.invoices.nodes;
  };
  /** Period, currency, total and the amounts of each invoice, newest first. */
  const ledger = async (customer: TestCustomer) =>
    (await invoicesOf(customer)).map(({ period, total, lines }) => [
      `${period.start}..${period.end}`,
      `${total.amount} ${total.currency}`,
      lines.map((line) => line.amount.amount),
    ]);

  test('rule 16: a customer has one invoice for each month in UTC and currency', async () => {
    const customer = await aCustomer(gateway, { market: 'DE' });
    await aPrice(gateway, skus.perpetual, '100.00', { market: 'DE', currency: 'EUR' });
    at('2026-07-31T23:59:59.999Z');
    await buy(gateway, customer, [perpetual(1), perpetual(2)]);
    await buy(gateway, customer, [perpetual(3)]);
    at('2026-08-01T00:00:00.000Z');
    await buy(gateway, customer, [perpetual(4)]);
    expect(await ledger(customer)).toEqual([
      ['2026-08-01..2026-08-31', '400.00 EUR', ['400.00']],
      ['2026-07-01..2026-07-31', '600.00 EUR', ['100.00', '200.00', '300.00']],
    ]);
    const invoices = await invoicesOf(customer);
    expect(invoices.map(({ period }) => period)).toEqual(
      invoices.map(({ periodStart, periodEnd }) => ({ start: periodStart, end: periodEnd })),
    );
  });

  test('rule 16: another currency in the same month is another invoice', async () => {
    const customer = await aCustomer(gateway, { market: 'NO' });
    const sku = await aSku(gateway);
    await aPrice(gateway, sku, '10.00', { market: 'NO', currency: 'EUR' });
    await aPrice(gateway, sku, '110.00', { market: 'NO', currency: 'NOK' });
    await gateway.sql(`update markets set currencies = '{NOK,EUR}' where code = 'NO'`);
    await buy(gateway, customer, [{ ...sku, quantity: 1 }]);
    await gateway.sql(`update markets set currencies = '{EUR,NOK}' where code = 'NO'`);
    await buy(gateway, customer, [{ ...sku, quantity: 1 }]);
    expect((await ledger(customer)).map(([, total]) => total).toSorted()).toEqual(['10.00 EUR', '110.00 NOK']);
    expect((await invoicesOf(customer, { currency: 'NOK' })).map(({ total }) => total.amount)).toEqual(['110.00']);
  });

  test('rule 16: the credit is on the invoice of the month in which it is confirmed, its arithmetic with it', async () => {
    const customer = await aCustomer(gateway);
    at('2026-07-20T10:00:00Z');
    const order = await buy(gateway, customer, [{ ...skus.subscription, quantity: 2 }]);
    at('2026-08-05T10:00:00Z');
    await confirming(gateway, customer, () => cancelled(gateway, order));
    expect(await ledger(customer)).toEqual([
      ['2026-08-01..2026-08-31', '-32128.02 USD', ['-32128.02']],
      ['2026-07-01..2026-07-31', '32604.00 USD', ['32604.00']],
    ]);
    const [august] = await invoicesOf(customer);
    expect(august?.lines).toMatchObject([
      {
        kind: 'CREDIT',
        description: expect.stringMatching(/^Credit: SQL Server/),
        quantity: 2,
        unitAmount: { amount: '16064.01' },
        order: { number: order.number },
      },
    ]);
  });

  test('rule 16: a line says what it is for as Microsoft’s files do, for which days, order and product', async () => {
    const customer = await aCustomer(gateway);
    const order = await buy(gateway, customer, [perpetual(), { ...skus.subscription, quantity: 2 }]);
    at('2026-07-20T10:00:00Z');
    await confirming(gateway, customer, () => cancelled(gateway, order));
    const [invoice] = await invoicesOf(customer);
    const said = (invoice?.lines ?? []).map(({ chargeType, chargePeriod, chargeStart, order: { id }, product }) => {
      expect(chargePeriod?.start ?? null).toBe(chargeStart);
      expect(id).toBe(order.id);
      return [chargeType, chargePeriod, product.productId];
    });
    const { productId } = skus.perpetual;
    expect(said).toEqual([
      ['NEW', null, productId],
      ['NEW', { start: '2026-07-15', end: '2029-07-14' }, skus.subscription.productId],
      ['CANCEL_IMMEDIATE', null, productId],
      // The day of cancelling is given back too.
      ['CANCEL_IMMEDIATE', { start: '2026-07-20', end: '2029-07-14' }, skus.subscription.productId],
    ]);
  });

  test('rule 16: invoices are found by an order and by a product, alone, together and with a customer', async () => {
    const [customer, other] = [await aCustomer(gateway), await aCustomer(gateway)];
    const [one, two] = [await aSku(gateway), await aSku(gateway)];
    for (const sku of [one, two]) await aPrice(gateway, sku, '10.00');
    const order = await buy(gateway, customer, [{ ...one, quantity: 1 }]);
    at('2026-08-15T10:00:00Z');
    const later = await buy(gateway, customer, [
      { ...one, quantity: 2 },
      { ...two, quantity: 1 },
    ]);
    await buy(gateway, other, [{ ...two, quantity: 4 }]);
    const found = async (filter: object) => {
      const { data } = await gateway.run(InvoicesDocument, { filter }, 'BILLING_ADMIN');
      return data.invoices?.nodes.map((invoice) => invoice.total.amount);
    };
    expect(await found({ orderId: order.id })).toEqual(['10.00']);
    expect(await found({ orderId: later.id, customerId: customer.id })).toEqual(['30.00']);
    expect(await found({ productId: one.productId })).toEqual(['30.00', '10.00']);
    expect((await found({ productId: two.productId.toLowerCase() }))?.toSorted()).toEqual(['30.00', '40.00']);
    expect(await found({ productId: two.productId, customerId: other.id })).toEqual(['40.00']);
    expect(await found({ productId: two.productId, orderId: order.id })).toEqual([]);
    expect(await found({ orderId: order.id, customerId: other.id })).toEqual([]);
    expect(await found({ productId: one.productId, to: '2026-08-01' })).toEqual(['10.00']);
  });

  test('rule 16: the ledger re-adds: lines to totals, charges to orders, credits to confirmed cancellations', async () => {
    const customers = [await aCustomer(gateway), await aCustomer(gateway)];
    for (const [index, customer] of [...customers, ...customers].entries()) {
      at(`2026-0${6 + (index % 3)}-10T10:00:00Z`);
      const order = await buy(gateway, customer, [perpetual(1 + index), { ...skus.subscription, quantity: 2 + index }]);
      at(`2026-0${6 + (index % 3)}-2${index}T10:00:00Z`);
      const lineNumbers = index === 0 ? [0, 1] : [index % 2];
      await confirming(gateway, customer, () => cancelled(gateway, order, { lineNumbers }));
    }
    const cents = (amount: string) => BigInt(amount.replace('.', ''));
    for (const customer of customers) {
      const invoices = await invoicesOf(customer);
      for (const { total, lines } of invoices) {
        const sum = lines.reduce((added, line) => added + cents(line.amount.amount), 0n);
        expect(sum).toBe(cents(total.amount));
        for (const line of lines) {
          const amount = cents(line.unitAmount.amount) * BigInt(line.quantity);
          expect(cents(line.amount.amount)).toBe(line.kind === 'CREDIT' ? -amount : amount);
        }
      }
      const [sums] = await gateway.sql<{ ordered: string; credited: string }>(
        `select (select sum(total) from orders where customer_id = ?)::text as ordered,
          (select sum(credit) from cancellations where customer_id = ? and status = 'CONFIRMED')::text as credited`,
        [customer.rowId, customer.rowId],
      );
      const all = invoices.flatMap(({ lines }) => lines);
      const of = (kind: string) =>
        all.filter((line) => line.kind === kind).reduce((added, line) => added + cents(line.amount.amount), 0n);
      expect(of('CHARGE')).toBe(cents(sums?.ordered as string));
      expect(-of('CREDIT')).toBe(cents(sums?.credited as string));
    }
  });

  test('rule 16: the database itself refuses a second charge, a second credit, a second invoice and a wrong sum', async () => {
    const customer = await aCustomer(gateway);
    const order = await buy(gateway, customer, [perpetual()]);
    await confirming(gateway, customer, () => cancelled(gateway, order));
    const copy = (changes: Record<string, string>, table = 'invoice_lines', where = 'true') =>
      gateway.sql(
        `insert into ${table} select (jsonb_populate_record(null::${table}, to_jsonb(t) || ?::jsonb)).* from ${table} t where ${where}`,
        [JSON.stringify({ id: randomUUID(), ...changes })],
      );
    const lines = (kind: string) =>
      `kind = '${kind}' and invoice_id in (select id from invoices where customer_id = '${customer.rowId}')`;
    await expect(copy({}, 'invoice_lines', lines('CHARGE'))).rejects.toThrow('invoice_lines_charge_once_key');
    await expect(copy({}, 'invoice_lines', lines('CREDIT'))).rejects.toThrow('invoice_lines_credit_once_key');
    await expect(copy({ amount: '1' }, 'invoice_lines', lines('CREDIT'))).rejects.toThrow('invoice_lines_amount');
    const own = `customer_id = '${customer.rowId}'`;
    await expect(copy({}, 'invoices', own)).rejects.toThrow('invoices_period_key');
    await expect(
      copy({}, 'cancellation_lines', `cancellation_id in (select id from cancellations where ${own})`),
    ).rejects.toThrow('cancellation_lines_once_key');
  });

  test('rule 16: lists filter by month and state', async () => {
    const customer = await aCustomer(gateway);
    at('2020-05-10T00:00:00Z');
    await buy(gateway, customer, [perpetual(1)]);
    await gateway.sql(`insert into month_closings (month) values ('2020-05-01')`);
    await gateway.gateway.services.orm.em.fork().transactional((em) => issueInvoices(em, '2020-05-01', 100));
    clock = new Date();
    await buy(gateway, customer, [perpetual(2)]);
    const totals = async (filter: object) =>
      (await invoicesOf(customer, filter)).map(({ status, total }) => [status, total.amount]);
    const [open, issued] = [
      ['OPEN', '27496.00'],
      ['ISSUED', '13748.00'],
    ];
    expect(await totals({})).toEqual([open, issued]);
    expect(await totals({ status: 'OPEN' })).toEqual([open]);
    expect(await totals({ status: 'ISSUED' })).toEqual([issued]);
    expect(await totals({ from: '2020-05-01', to: '2020-06-01' })).toEqual([issued]);
    expect(await totals({ from: '2020-05-02' })).toEqual([open]);
    expect(await totals({ to: '2020-05-01' })).toEqual([]);
  });

  test.each([...Object.values(Role), 'anonymous' as const])('whether %s may read invoices', async (role) => {
    const customer = await aCustomer(gateway);
    await buy(gateway, customer, [perpetual()]);
    const as =
      role === 'anonymous' ? null : role === 'CUSTOMER_ADMIN' ? { token: await gateway.token(role, customer) } : role;
    const { data, errors } = await gateway.run(InvoicesDocument, { filter: { customerId: customer.id } }, as);
    if (['BILLING_ADMIN', 'GLOBAL_ADMIN', 'ADMIN_AGENT'].includes(role)) {
      expect(data.invoices?.nodes).toMatchObject([{ total: { amount: '13748.00' } }]);
    } else {
      expect(data.invoices).toBeNull();
      expect(errors?.map((error) => error.extensions.code)).toEqual([as ? 'FORBIDDEN' : 'UNAUTHENTICATED']);
    }
  });
});
