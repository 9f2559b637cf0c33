import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ReconciliationOptions } from '../../../src/modules/reconciling/import-reconciliation.js';
import type { JudgedLine } from '../../../src/modules/reconciling/judge-lines.js';
import { ReconciliationLinesDocument } from '../../generated/graphql.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import {
  inEnglish,
  monthAt,
  StatementFiles,
  type StatementRow,
  statementRow,
} from '../../support/reconciliation-files.js';
import { importing, sold } from '../../support/reconciling.js';
import { aCustomer, aPrice, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';
import { adminOf, buySoftware, cancelAndConfirm, entriesOf, settled } from '../../support/software.js';

const files = new StatementFiles(mkdtempSync(join(tmpdir(), 'csp-graph-statements-')));
const imported = (path: string, options?: Partial<ReconciliationOptions>) => importing(gateway, path, options);
const bought = (customer: TestCustomer, quantity: number, row?: StatementRow) => sold(gateway, customer, quantity, row);
const ids = { ProductId: skus.perpetual.productId, SkuId: skus.perpetual.skuId };
let gateway: TestGateway;
const month = monthAt(0);

beforeAll(async () => {
  gateway = await startTestGateway();
  await stockShop(gateway);
});
afterAll(async () => {
  await gateway.stop();
  rmSync(files.folder, { recursive: true });
});

/** Whatever else was sold is no business of a test: it counts what its own customer has. */
const of = (customer: TestCustomer, lines: JudgedLine[]) =>
  lines.filter(({ customerTenantId }) => customerTenantId === customer.tenantId);
const verdictsOf = (customer: TestCustomer, lines: JudgedLine[]) =>
  of(customer, lines).map(({ verdict, matchedBy, ourMonth }) => [verdict, matchedBy, ourMonth]);
const numbers = (function* () {
  for (let number = 2; ; number += 1) yield `G${String(number).padStart(9, '0')}`;
})();
/** A number that no other file has. */
const anInvoice = () => numbers.next().value as string;

describe(`reconciliation, on ${engine}`, () => {
  test('each line is equal, different by so much, missing here or missing there', async () => {
    const customer = await aCustomer(gateway);
    const [same, dearer, ours] = [await bought(customer, 1), await bought(customer, 2), await bought(customer, 3)];
    const InvoiceNumber = anInvoice();
    const path = files.csv(
      [
        same.line,
        {
          ...dearer.line,
          BillableQuantity: '3',
          EffectiveUnitPrice: '13748.5',
          Subtotal: '41245.50',
          Total: '41245.50',
        },
        { ...same.line, OrderId: 'aaaaaaaaaaa1', BillableQuantity: '9', Subtotal: '1', Total: '1' },
      ].map((row) => ({ ...row, InvoiceNumber })),
    );
    const { found, lines } = await imported(path);
    expect(found).toMatchObject({
      ...{ rows: 3, refusedRows: 0, currency: 'USD', kind: 'BILLED', invoiceNumber: InvoiceNumber, month },
      ...{ total: '54994.50', isKnown: false, replaced: [], kept: true },
    });
    const mine = of(customer, lines);
    expect(mine.map(({ verdict, line, orderNumber, matchedBy }) => [verdict, line, orderNumber, matchedBy])).toEqual([
      ['EQUAL', 2, same.order.number, 'ORDER'],
      ['DIFFERENT', 3, dearer.order.number, 'ORDER'],
      ['MISSING_HERE', 4, 'aaaaaaaaaaa1', null],
      ['MISSING_THERE', null, ours.order.number, null],
    ]);
    const differences = [
      { column: 'BillableQuantity', theirs: '3', ours: '2', by: '1' },
      { column: 'EffectiveUnitPrice', theirs: '13748.50', ours: '13748.00', by: '0.50' },
      { column: 'Subtotal', theirs: '41245.50', ours: '27496.00', by: '13749.50' },
    ];
    expect(mine[1]?.differences).toEqual(differences);

    const { data, errors } = await gateway.run(
      ReconciliationLinesDocument,
      { filter: { customerId: customer.id, month: `${month.slice(0, 8)}17` } },
      'BILLING_ADMIN',
    );
    expect(errors).toBeUndefined();
    const money = (amount: string) => ({ amount, currency: 'USD' });
    expect(data.reconciliationLines).toMatchObject({
      totalCount: 4,
      nodes: [
        { verdict: 'EQUAL', statementLine: 2, difference: money('0.00'), reconciliation: { sha256: found.sha256 } },
        { verdict: 'DIFFERENT', theirAmount: money('41245.50'), difference: money('13749.50'), differences },
        {
          verdict: 'MISSING_HERE',
          ourAmount: null,
          invoiceLine: null,
          customer: { id: customer.id },
          statementLine: 4,
        },
        { verdict: 'MISSING_THERE', theirAmount: null, statementLine: null, ourAmount: money('41244.00') },
      ],
    });
    const stranger = await imported(
      files.csv([{ ...ours.line, CustomerId: randomUUID(), InvoiceNumber: anInvoice() }]),
      { dryRun: true },
    );
    expect(stranger.lines.find(({ line }) => line === 2)?.differences.map(({ column }) => column)).toEqual([
      'CustomerId',
    ]);
    const two = await gateway.run(
      ReconciliationLinesDocument,
      { filter: { customerId: customer.id, verdicts: ['MISSING_HERE', 'DIFFERENT'] } },
      'BILLING_ADMIN',
    );
    expect(two.data.reconciliationLines?.nodes.map(({ verdict }) => verdict)).toEqual(['DIFFERENT', 'MISSING_HERE']);

    await settled(gateway);
    const entries = await entriesOf(gateway, { actions: ['RECONCILIATION_IMPORTED'] });
    const [entry] = entries.filter(({ resource }) => resource.label === basename(path));
    expect(entry).toMatchObject({
      actor: { role: 'OPERATOR', userPrincipalName: 'op@machine' },
      customer: null,
      resource: { type: 'RECONCILIATION', nodeId: data.reconciliationLines?.nodes[0]?.reconciliation.id },
      detail: { month, invoiceNumber: InvoiceNumber, equal: 1, different: 1, missingHere: 1, sha256: found.sha256 },
    });
  });

  test('the same file again is imported once and compared anew; a newer version takes the place of the older one', async () => {
    const customer = await aCustomer(gateway);
    const { line } = await bought(customer, 1, { InvoiceNumber: anInvoice() });
    const theirs = { ...line, OrderId: 'aaaaaaaaaaa2', BillableQuantity: '9' };
    const first = files.csv([line, theirs]);
    const count = (table: string) =>
      gateway.sql<{ count: number }>(`select count(*)::int as count from ${table}`).then(([row]) => row?.count);
    const counts = async () => [
      ...[await count('reconciliations'), await count('statement_lines'), await count('reconciliation_lines')],
      (await entriesOf(gateway, { actions: ['RECONCILIATION_IMPORTED'] })).length,
    ];
    await imported(first);
    await settled(gateway);
    const before = await counts();
    const again = await imported(first);
    expect(again.found).toMatchObject({ isKnown: true, kept: true });
    await settled(gateway);
    expect(await counts()).toEqual(before);

    const newer = files.csv([line]);
    const { found, lines } = await imported(newer);
    expect(found.replaced).toEqual([basename(first)]);
    expect(verdictsOf(customer, lines)).toEqual([['EQUAL', 'ORDER', month]]);
    const kept = await gateway.sql(
      `select file_name as name, superseded_at is not null as old, (select count(*)::int from statement_lines l where l.reconciliation_id = r.id) as evidence,
         (select count(*)::int from reconciliation_lines l where l.reconciliation_id = r.id and verdict <> 'MISSING_THERE') as lines
       from reconciliations r where invoice_number = ? order by imported_at`,
      [line.InvoiceNumber],
    );
    expect(kept).toEqual([
      { name: basename(first), old: true, evidence: 2, lines: 0 },
      { name: basename(newer), old: false, evidence: 1, lines: 1 },
    ]);
    await expect(imported(first)).rejects.toThrow(/an older version of what was imported since/);
  });

  test('the month before and the month after are looked at, and what is found there is missing nowhere', async () => {
    const [customer, other] = [await aCustomer(gateway), await aCustomer(gateway)];
    const [late, early] = [await bought(customer, 1), await bought(other, 1)];
    // Not in the file of its own month …
    const own = await imported(
      files.csv([{ ...early.line, CustomerId: randomUUID(), OrderId: 'aaaaaaaaaaa8', InvoiceNumber: anInvoice() }]),
    );
    expect(verdictsOf(customer, own.lines)).toEqual([['MISSING_THERE', null, month]]);
    // … but in those beside it.
    const next = files.csv([{ ...late.line, InvoiceNumber: anInvoice() }]);
    const nextMonth = await imported(next, { month: monthAt(1) });
    expect(verdictsOf(customer, nextMonth.lines)).toEqual([['EQUAL', 'ORDER', month]]);
    const before = await imported(files.csv([{ ...early.line, InvoiceNumber: anInvoice() }]), { month: monthAt(-1) });
    expect(verdictsOf(other, before.lines)).toEqual([['EQUAL', 'ORDER', month]]);
    const { data } = await gateway.run(ReconciliationLinesDocument, { filter: { customerId: customer.id } });
    expect(data.reconciliationLines?.nodes.map((line) => [line.verdict, line.month, line.ourMonth])).toEqual([
      ['EQUAL', monthAt(1), month],
    ]);
    const far = await imported(files.csv([{ ...late.line, InvoiceNumber: anInvoice() }]), { month: monthAt(2) });
    expect(verdictsOf(customer, far.lines)).toEqual([['MISSING_HERE', null, null]]);
  });

  test('credits are negative, and a cancellation is matched with its own', async () => {
    const customer = await aCustomer(gateway);
    const software = await buySoftware(gateway, customer);
    const charge = statementRow({
      ...{ CustomerId: customer.tenantId, OrderId: software.order.number, InvoiceNumber: anInvoice(), ...ids },
      UnitPrice: '13748',
    });
    await cancelAndConfirm(gateway, software);
    const credit = { ...charge, ChargeType: 'Refund', BillableQuantity: '-1', Subtotal: '-13748', Total: '-13748' };
    const { lines } = await imported(files.csv([charge, credit]));
    expect(of(customer, lines).map(({ verdict, chargeType, ourAmount }) => [verdict, chargeType, ourAmount])).toEqual([
      ['EQUAL', 'new', '13748.00'],
      ['EQUAL', 'cancelImmediate', '-13748.00'],
    ]);
  });

  test('lines of orders that neither side has from the other are matched by what they are', async () => {
    const customer = await aCustomer(gateway);
    const { line } = await bought(customer, 2, { InvoiceNumber: anInvoice(), OrderId: 'aaaaaaaaaaa3' });
    const dearer = await bought(customer, 3, { InvoiceNumber: line.InvoiceNumber as string, OrderId: 'aaaaaaaaaaa4' });
    const more = { ...dearer.line, Subtotal: '41244.01', Total: '41244.01' };
    const { lines } = await imported(files.csv([line, more]));
    expect(verdictsOf(customer, lines)).toEqual([
      ['EQUAL', 'CONTENT', month],
      ['DIFFERENT', 'CONTENT', month],
    ]);
    const tolerant = await imported(files.csv([line, { ...more, Quantity: '4' }]), { tolerance: '0.01' });
    expect(verdictsOf(customer, tolerant.lines)).toEqual(Array(2).fill(['EQUAL', 'CONTENT', month]));
  });

  test('where prices include tax, ours are held against Total', async () => {
    const customer = await aCustomer(gateway, { market: 'AU' });
    await aPrice(gateway, skus.perpetual, '110.00', { market: 'AU', currency: 'AUD' });
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const line = statementRow({
      ...{ CustomerId: customer.tenantId, OrderId: order.number, InvoiceNumber: anInvoice(), ...ids },
      ...{ Currency: 'AUD', UnitPrice: '110', Subtotal: '100', TaxTotal: '10', Total: '110', CustomerCountry: 'AU' },
    });
    const { lines } = await imported(files.csv([line]));
    expect(verdictsOf(customer, lines)).toEqual([['EQUAL', 'ORDER', month]]);
  });

  test('a dry run, and a file with bad rows, leave no trace; the good rows are taken when asked so', async () => {
    const customer = await aCustomer(gateway);
    const { line } = await bought(customer, 1, { InvoiceNumber: anInvoice() });
    const trace = () =>
      gateway.sql('select id from reconciliations union all select id from reconciliation_lines order by 1');
    const before = await trace();
    const path = files.csv([line, { ...line, Total: 'much' }]);
    const dry = await imported(path, { dryRun: true, keepGood: true });
    expect(dry.found).toMatchObject({ refusedRows: 1, kept: false });
    expect(verdictsOf(customer, dry.lines)).toEqual([['EQUAL', 'ORDER', month]]);
    expect(dry.refusals).toEqual([
      {
        line: 3,
        column: 'Total',
        value: 'much',
        reason: 'must be digits with a decimal point, as in the rest of the file',
      },
    ]);
    expect((await imported(path)).found).toMatchObject({ rows: 2, refusedRows: 1, kept: false });
    expect(await trace()).toEqual(before);
    expect((await imported(path, { keepGood: true })).found).toMatchObject({ refusedRows: 1, kept: true });
  });

  test.each<[string, StatementRow[], RegExp]>([
    ['two currencies', [{}, { Currency: 'EUR' }], /holds lines in EUR and USD/],
    ['billed and unbilled lines', [{}, { InvoiceNumber: '' }], /1 of 2 rows have no InvoiceNumber/],
    ['no readable row', [{ Total: '' }], /No row of the file can be read/],
  ])('a file of %s is refused', async (_what, rows, reason) => {
    const customer = { CustomerId: randomUUID(), OrderId: 'aaaaaaaaaaa5', ...ids };
    const path = files.csv(rows.map((row) => statementRow({ ...customer, InvoiceNumber: anInvoice(), ...row })));
    await expect(imported(path)).rejects.toThrow(reason);
    // The connection was left clean.
    await expect(imported(path)).rejects.toThrow(reason);
  });

  test('the month is that from which most lines are charged; where there is none, it is asked for', async () => {
    const row = { CustomerId: randomUUID(), OrderId: 'aaaaaaaaaaa6', ...ids };
    const starts = (...days: string[]) =>
      files.csv(days.map((day) => statementRow({ ...row, InvoiceNumber: '', ChargeStartDate: inEnglish(day) })));
    const options = { month: undefined, dryRun: true };
    expect((await imported(starts('2026-05-31', '2026-05-01', '2026-06-01'), options)).found).toMatchObject({
      ...{ month: '2026-05-01', kind: 'UNBILLED', invoiceNumber: null },
    });
    await expect(imported(starts('2026-05-31', '2026-06-01'), options)).rejects.toThrow(/--month 2026-10/);
  });

  test('a customer’s administrator sees nothing of it', async () => {
    const customer = await aCustomer(gateway);
    for (const as of [await adminOf(gateway, customer), 'SALES_AGENT', 'REPORT_VIEWER'] as const) {
      const { data, errors } = await gateway.run(
        '{ reconciliations { totalCount } reconciliationLines { totalCount } }',
        {},
        as,
      );
      expect(data).toEqual({ reconciliations: null, reconciliationLines: null });
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN', 'FORBIDDEN']);
    }
  });
});
