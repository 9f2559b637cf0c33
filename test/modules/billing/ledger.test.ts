import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { minorUnitDigits } from '../../../src/domain/currencies.js';
import { checkLedger } from '../../../src/modules/billing/check-ledger.js';
import { cancelled, confirming } from '../../support/cancelling.js';
import { engine, serverUrl } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';

const onServer = serverUrl ? test : test.skip;
if (!serverUrl) console.warn('npm run ledger:check beside a gateway needs a server: set TEST_DATABASE_URL.');

describe(`the ledger, on ${engine}`, () => {
  let gateway: TestGateway;
  let customer: TestCustomer;
  let order: { id: string; number: string };
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    customer = await aCustomer(gateway);
    order = await buy(gateway, customer, [
      { ...skus.perpetual, quantity: 2 },
      { ...skus.subscription, quantity: 1 },
    ]);
    await confirming(gateway, customer, () => cancelled(gateway, order, { lineNumbers: [0] }));
  });
  afterAll(() => gateway.stop());

  const verdict = () => checkLedger(gateway.gateway.services.kysely);

  test('rule 16: a charge is owed against what was sold, a credit against what was given back; both halves are one transaction', async () => {
    const entries = await gateway.sql(
      `select l.kind, e.account, e.amount::text as amount, e.currency, e.customer_id = ? as "isCustomers", e.booked_at = l.booked_at as "isAtOnce", e.xmin = l.xmin as "isOneTransaction"
       from ledger_entries e join invoice_lines l on l.id = e.invoice_line_id order by e.seq`,
      [customer.rowId],
    );
    const entry = (kind: string, account: string, amount: string) => ({
      ...{ kind, account, amount, currency: 'USD' },
      ...{ isCustomers: true, isAtOnce: true, isOneTransaction: true },
    });
    expect(entries).toEqual([
      entry('CHARGE', 'ACCOUNTS_RECEIVABLE', '27496.00'),
      entry('CHARGE', 'SALES', '-27496.00'),
      entry('CHARGE', 'ACCOUNTS_RECEIVABLE', '16302.00'),
      entry('CHARGE', 'SALES', '-16302.00'),
      entry('CREDIT', 'ACCOUNTS_RECEIVABLE', '-27496.00'),
      entry('CREDIT', 'SALES_RETURNS', '27496.00'),
    ]);
  });

  test('rule 16: the ledger re-adds, in one line', async () => {
    expect(await verdict()).toEqual({ fault: null, summary: '1 invoices with 3 lines in 1 currencies, 6 entries' });
  });

  test('rule 16: the database has the minor units of the product, of every code that there could be', async () => {
    const told = await gateway.sql<{ code: string; digits: number }>(
      `select code, minor_unit_digits(code) as digits from (select chr(a) || chr(b) || chr(c) as code
         from generate_series(65, 90) a, generate_series(65, 90) b, generate_series(65, 90) c) codes`,
    );
    expect(told).toHaveLength(26 ** 3);
    expect(told.filter(({ code, digits }) => digits !== minorUnitDigits(code))).toEqual([]);
  });

  test('rule 16: nothing is booked below the minor unit, by whomever', async () => {
    const finer = (table: string, changes: string) =>
      gateway.sql(
        `insert into ${table} select (jsonb_populate_record(t, '${changes}')).* from ${table} t where amount = 16302`,
      );
    const line = `{"id": "01a00000-0000-7000-8000-000000000001", "charge_type": "RENEW", "quantity": 1`;
    await expect(finer('invoice_lines', `${line}, "unit_amount": 0.005, "amount": 0.005}`)).rejects.toThrow(
      'an amount of 0.005 USD is finer than the minor unit',
    );
    await expect(finer('ledger_entries', '{"seq": 900000, "amount": 1.001}')).rejects.toThrow(
      'finer than the minor unit',
    );
    const [{ said } = { said: false }] = await gateway.sql<{ said: boolean }>(
      `select guard_minor_unit(1.005, 'KWD') is not null and guard_minor_unit(12, 'JPY') is not null as said`,
    );
    expect(said).toBe(true);
    await expect(gateway.sql(`select guard_minor_unit(12.5, 'JPY')`)).rejects.toThrow('12.5 JPY');
  });

  const ofFirst = `(select l.id from invoice_lines l join order_lines o on o.id = l.order_line_id where l.kind = 'CHARGE' and o.line_number = 0)`;
  test.each<[string, string, string, RegExp]>([
    [
      'an entry that lost a cent',
      `update ledger_entries set amount = amount - 0.01 where account = 'SALES' and invoice_line_id = ${ofFirst}`,
      `update ledger_entries set amount = amount + 0.01 where account = 'SALES' and invoice_line_id = ${ofFirst}`,
      /^line .* of order .*: expected entries that add up to 0, 27496\.00 of them receivable,.*; found 2 entries that add up to -0\.01/,
    ],
    [
      'an entry of another customer',
      `update ledger_entries set customer_id = '00000000-0000-4000-8000-000000000000' where account = 'SALES' and invoice_line_id = ${ofFirst}`,
      `update ledger_entries set customer_id = (select customer_id from orders)`,
      /of customer 00000000-/,
    ],
    [
      'a line about another product',
      `update invoice_lines l set product_id = (select id from products p where p.id <> l.product_id limit 1) where id = ${ofFirst}`,
      `update invoice_lines l set product_id = (select product_id from skus s join order_lines o on o.sku_id = s.id where o.id = l.order_line_id)`,
      /^line .*: expected customer .*; found customer /,
    ],
    [
      'an order that costs more than its lines',
      `update orders set total = total + 1`,
      `update orders set total = total - 1`,
      /^order [0-9a-f]{12}: expected 43799\.00 USD; found 43798\.00 over 2 lines/,
    ],
    [
      'a line that was charged before it was sold',
      `update order_lines set status = 'PENDING' where line_number = 1`,
      `update order_lines set status = 'ACTIVE' where line_number = 1`,
      /^line 1 of order .*: expected no line of an invoice; found 1 lines/,
    ],
    [
      'a sale that cost something else',
      `update order_lines set total = total * 2, unit_price = unit_price * 2 where line_number = 1; update orders set total = (select sum(total) from order_lines)`,
      `update order_lines set total = total / 2, unit_price = unit_price / 2 where line_number = 1; update orders set total = (select sum(total) from order_lines)`,
      /^line 1 of order .*: expected a charge of 32604\.00; found 1 lines of invoices, charges of the sale 16302\.00/,
    ],
    [
      'a cancellation that gives back less than its lines',
      `update cancellations set credit = credit - 1`,
      `update cancellations set credit = credit + 1`,
      /^cancellation .*: expected 27495\.00 USD; found 27496\.00 over 1 lines/,
    ],
    [
      'a credit of what was not confirmed',
      `update cancellations set status = 'PENDING', confirmed_at = null`,
      `update cancellations set status = 'CONFIRMED', confirmed_at = requested_at`,
      /^line 0 of order .* in cancellation .*: expected no credit; found a credit of 27496\.00/,
    ],
    [
      'a confirmed cancellation without its credit',
      `update invoice_lines set cancellation_line_id = null, charge_type = 'CUSTOMER_CREDIT' where kind = 'CREDIT'`,
      `update invoice_lines set cancellation_line_id = (select id from cancellation_lines), charge_type = 'CANCEL_IMMEDIATE' where kind = 'CREDIT'`,
      /expected a credit of 27496\.00; found no credit/,
    ],
    [
      'a number that nothing has',
      `update invoice_series set last_number = 1 where document_type = 'INVOICE'`,
      `update invoice_series set last_number = 0`,
      /^number 1 of the series INVOICE: expected one document; found 0 documents/,
    ],
    [
      'an invoice that was issued before its month was closed',
      `update invoices set number = 'INV-000000001', issued_at = now(); update invoice_series set last_number = 1 where document_type = 'INVOICE'`,
      `update invoices set number = null, issued_at = null; update invoice_series set last_number = 0`,
      /^document INV-000000001: expected open, as its month is; found issued at /,
    ],
  ])('rule 16: %s is found, and named', async (_what, breaking, mending, fault) => {
    const unguarded = async (statements: string) => {
      const tables = [
        'orders',
        'order_lines',
        'cancellations',
        'invoices',
        'invoice_lines',
        'ledger_entries',
        'invoice_series',
      ];
      for (const table of tables) await gateway.sql(`alter table ${table} disable trigger user`);
      for (const statement of statements.split('; ')) await gateway.sql(statement);
      for (const table of tables) await gateway.sql(`alter table ${table} enable trigger user`);
    };
    await unguarded(breaking);
    const found = (await verdict()).fault ?? '';
    await unguarded(mending);
    expect(found).toMatch(fault);
    expect((await verdict()).fault).toBeNull();
  });

  onServer(
    'npm run ledger:check answers in one line beside a gateway that serves, and exits with 0, or 1 where it does not balance',
    async () => {
      const [{ database }] = (await gateway.sql<{ database: string }>('select current_database() as database')) as [
        { database: string },
      ];
      const url = new URL(serverUrl as string);
      url.pathname = `/${database}`;
      const run = () =>
        new Promise<[code: number | null, out: string]>((resolve) => {
          const env = { PATH: process.env['PATH'], DATABASE_URL: url.href, DATA_DIR: '/nonexistent' };
          const child = execFile(process.execPath, ['dist/src/cli/check-ledger.js'], { env }, (_error, out) =>
            resolve([child.exitCode, out]),
          );
        });
      expect(await run()).toEqual([0, 'The ledger balances: 1 invoices with 3 lines in 1 currencies, 6 entries.\n']);
      await gateway.sql('update orders set total = total + 1');
      expect(await run()).toEqual([1, expect.stringMatching(/^DOES NOT BALANCE: order [0-9a-f]{12}: .*\n$/)]);
      await gateway.sql('update orders set total = total - 1');
    },
  );
});
