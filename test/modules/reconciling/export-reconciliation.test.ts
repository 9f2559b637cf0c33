import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { RECONCILIATION_COLUMNS } from '../../../src/partner-center/reconciliation/columns.js';
import { engine } from '../../support/database.js';
import { inEnglish, monthAt, StatementFiles, statementRow } from '../../support/reconciliation-files.js';
import { key, SharedDatabases } from '../../support/shared-databases.js';
import { aCustomer, aPrice, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';
import { buySoftware, cancelAndConfirm, entriesOf, settled } from '../../support/software.js';

describe(`npm run export:reconciliation and import:reconciliation, on ${engine}`, () => {
  const databases = new SharedDatabases();
  const files = new StatementFiles(databases.folder);
  afterAll(() => databases.drop());
  const k1 = key('k1', 1);
  const month = monthAt(0).slice(0, 7);

  test('what is exported and imported again is equal, line by line; what is changed in it is told on one screen', async () => {
    const shared = await databases.open();
    let customer = {} as TestCustomer;
    await shared.serve([k1], async (gateway) => {
      await stockShop(gateway);
      await aPrice(gateway, skus.perpetual, '99.00', { market: 'DE', currency: 'EUR' });
      customer = await aCustomer(gateway);
      await buy(
        gateway,
        customer,
        Object.values(skus).map((sku, at) => ({ ...sku, quantity: at + 1 })),
      );
      await cancelAndConfirm(gateway, await buySoftware(gateway, customer, skus.subscription, 2));
      await buy(gateway, await aCustomer(gateway, { market: 'DE' }), [{ ...skus.perpetual, quantity: 1 }]);
    });
    const run = (program: string, ...args: string[]) => shared.spawn(`cli/${program}`, [k1], ...args).ended;

    const undecided = await run('export-reconciliation', '--month', month);
    expect(undecided).toMatchObject({
      code: 1,
      out: '',
      err: `EUR, USD were invoiced for ${month}: say which with --currency.\n`,
    });
    const ours = join(databases.folder, 'ours.csv');
    const exported = await run('export-reconciliation', '--month', month, '--currency', 'usd', '--output', ours);
    expect(exported).toEqual({ code: 0, out: '', err: `5 lines of ${month} in USD\n` });
    const text = readFileSync(ours, 'utf8');
    expect(text.startsWith(`\ufeff${RECONCILIATION_COLUMNS.join()}\r\n`)).toBe(true);
    const rows: Record<string, string>[] = parse(text, { bom: true, columns: true });
    const today = inEnglish(new Date().toISOString().slice(0, 10));
    expect(rows[0]).toMatchObject({
      ...{ CustomerId: customer.tenantId, ProductId: skus.perpetual.productId, SkuId: '0001', ChargeType: 'new' },
      ...{ OrderDate: today, ChargeStartDate: '', TermAndBillingCycle: '', Subtotal: '13748.00', Total: '13748.00' },
    });
    expect(rows[1]).toMatchObject({ ChargeStartDate: today, TermAndBillingCycle: 'Three-Year Subscription' });
    expect(rows.map(({ ChargeType, Quantity, Total }) => [ChargeType, Quantity, Total?.startsWith('-')])).toEqual([
      ...[1, 2, 3, 2].map((quantity) => ['new', String(quantity), false]),
      ['cancelImmediate', '-2', true],
    ]);

    const table = join(databases.folder, 'table.csv');
    const equal = await run('import-reconciliation', ours, '--month', month, '--table', table);
    expect([equal.code, equal.err]).toEqual([0, '']);
    expect(equal.out).toMatch(
      // The month runs: its invoice has no number yet.
      new RegExp(`^ours.csv: ${month}, not billed yet, 5 rows, 0 refused; Total [\\d.]+ USD\\n`),
    );
    expect(equal.out).toMatch(/\nequal +5 .*\ndifferent +0 .*\nmissing here +0 .*\nmissing there +0 .*\nKept\.\n$/);
    const judged: Record<string, string>[] = parse(readFileSync(table), { bom: true, columns: true });
    expect(judged.map(({ Verdict, Line, MatchedBy }) => [Verdict, Line, MatchedBy])).toEqual(
      [2, 3, 4, 5, 6].map((line) => ['EQUAL', String(line), 'ORDER']),
    );

    // Another currency of the portal's language, one line dearer, one too many and two gone.
    const [first, second, third] = rows as [Record<string, string>, Record<string, string>, Record<string, string>];
    const german = (cells: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(cells).map(([name, cell]) => [name, /^-?\d+\.\d\d$/.test(cell) ? cell.replace('.', ',') : cell]),
      );
    const changed = files.csv(
      [
        german({ ...first, SkuId: '1' }),
        german({ ...second, Subtotal: '32604.50', Total: '32604.50' }),
        german(third),
        german(
          statementRow({
            ...third,
            CustomerName: 'A stranger',
            CustomerId: randomUUID(),
            OrderId: 'aaaaaaaaaaa1',
            AlternateId: '',
          }) as Record<string, string>,
        ),
        { ...german(first), Total: '1.2.3' },
      ],
      [...RECONCILIATION_COLUMNS, 'ProductCategory'],
      'changed',
    );
    const told = await run('import-reconciliation', changed, '--month', month, '--keep-good', '--dates', 'month-first');
    expect(told.code).toBe(0);
    expect(told.err).toBe(
      [
        'line 6, Total "1.2.3": must be digits with a decimal comma, as in the rest of the file',
        'columns that are not known were kept with their rows: "ProductCategory"',
        'SkuId had lost its zeros, as in a spreadsheet; they were put back: 1 row, first line 2',
        '',
      ].join('\n'),
    );
    expect(told.out).toMatch(/\nequal +2 .*\ndifferent +1 .*\nmissing here +1 .*\nmissing there +2 /);
    expect(told.out).toMatch(
      /\nIt takes the place of "ours.csv", whose rows are kept as evidence.\nKept, without 1 rows that were refused.\n/,
    );
    expect(told.out).toMatch(/\ndifferent +line 3, .*, new, Subtotal 32604.50 there, 32604.00 here \(\+0.50\)\n/);
    expect(told.out).toMatch(/\nmissing here +line 5, "A stranger", order aaaaaaaaaaa1, /);
    expect(told.out).toMatch(/\nmissing there +invoice without a number yet, .*, cancelImmediate, -[\d.]+ USD\n/);
    await shared.serve([k1], async (gateway) => {
      await settled(gateway);
      const entries = await entriesOf(gateway, { actions: ['RECONCILIATION_IMPORTED'] });
      expect(entries.map(({ actor, detail }) => [actor.role, actor.application, detail])).toEqual([
        ['OPERATOR', 'npm run import:reconciliation', expect.objectContaining({ equal: 5, different: 0 })],
        ['OPERATOR', 'npm run import:reconciliation', expect.objectContaining({ equal: 2, missingThere: 2 })],
      ]);
    });
  });
});
