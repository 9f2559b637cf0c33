import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { monthAt, StatementFiles, type StatementRow, statementRow } from '../../support/reconciliation-files.js';
import { importing } from '../../support/reconciling.js';

const files = new StatementFiles(mkdtempSync(join(tmpdir(), 'csp-graph-statements-')));
const month = monthAt(0);
/** The 13th of the month, as Partner Center writes it; and `years` later. */
const at = (day: number, years = 0) => `${Number(month.slice(5, 7))}/${day}/${Number(month.slice(0, 4)) + years}`;
const [contoso, fabrikam, nowhere] = [randomUUID(), randomUUID(), randomUUID()];
const row = (given: StatementRow) => statementRow({ OrderDate: at(13), ...given });
const server = { ProductId: 'DG7GMGF0TEST', ProductName: 'Windows Server', SkuId: '0002', SkuName: 'Datacenter' };
const office = {
  ...{
    ProductId: 'CFQ7TTC0TEST',
    ProductName: 'Microsoft 365 E3',
    SkuId: '0001',
    SkuName: 'E3',
    BillingFrequency: 'Monthly',
  },
  ...{
    TermAndBillingCycle: 'One-Year commitment for monthly billing',
    SubscriptionStartDate: at(13),
    SubscriptionEndDate: at(12, 1),
  },
  ...{ ChargeStartDate: at(13), ChargeEndDate: at(28) },
};
const rows = [
  row({
    CustomerId: contoso,
    OrderId: '0000000000a1',
    ...server,
    UnitPrice: '6155.33',
    Quantity: '3',
    Subtotal: '18465.99',
    TaxTotal: '1.01',
    Total: '18467',
  }),
  row({
    CustomerId: contoso,
    OrderId: '0000000000a2',
    ...office,
    UnitPrice: '19.37',
    Quantity: '10',
    Subtotal: '193.70',
    Total: '193.70',
  }),
  row({
    CustomerId: contoso,
    OrderId: '0000000000a2',
    ...office,
    ChargeType: 'addQuantity',
    UnitPrice: '9.68',
    Quantity: '12',
    BillableQuantity: '2',
    Subtotal: '19.36',
    Total: '19.36',
  }),
  row({
    CustomerId: fabrikam,
    CustomerName: 'Fabrikam',
    CustomerDomainName: 'fabrikam.onmicrosoft.com',
    OrderId: 'longId,0000000000a3',
    ...server,
    UnitPrice: '6155.33',
    Quantity: '1',
  }),
  row({
    CustomerId: fabrikam,
    CustomerName: 'Fabrikam',
    CustomerDomainName: 'fabrikam.onmicrosoft.com',
    OrderId: 'longId,0000000000a3',
    ...server,
    ChargeType: 'cancelImmediate',
    UnitPrice: '6155.33',
    Quantity: '0',
    BillableQuantity: '-1',
    Subtotal: '-6155.33',
    Total: '-6155.33',
  }),
  // A charge of an order from before, and one whose price does not divide.
  row({
    CustomerId: fabrikam,
    CustomerDomainName: 'fabrikam.onmicrosoft.com',
    OrderId: '0000000000a4',
    ...office,
    ChargeType: 'cycleCharge',
    OrderDate: at(13, -1),
    UnitPrice: '10',
    Quantity: '3',
    Subtotal: '100',
    Total: '100',
  }),
  row({
    CustomerId: fabrikam,
    CustomerDomainName: 'fabrikam.onmicrosoft.com',
    OrderId: '0000000000a4',
    ...office,
    ChargeType: 'customerCredit',
    OrderDate: at(13, -1),
    UnitPrice: '0',
    Quantity: '0',
    Subtotal: '-0.01',
    Total: '-0.01',
  }),
  row({ CustomerId: nowhere, CustomerCountry: 'XX', OrderId: '0000000000a5', ...server }),
];

describe(`a gateway that begins with a file of Microsoft's, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(async () => {
    await gateway.stop();
    rmSync(files.folder, { recursive: true });
  });
  const path = files.csv(rows);
  const count = (table: string) =>
    gateway.sql<{ count: number }>(`select count(*)::int as count from ${table}`).then(([first]) => first?.count);

  test('an empty one gets customers, products, orders, licences and charges, to the cent; a dry run leaves it empty', async () => {
    const created = {
      customers: 2,
      products: 2,
      skus: 2,
      orders: 4,
      licences: 4,
      charges: 7,
      amount: '18779.04',
      left: 1,
      firstLeft: 9,
    };
    const dry = await importing(gateway, path, { dryRun: true });
    expect(dry.found.created).toEqual(created);
    expect([await count('customers'), await count('orders'), await count('invoice_lines')]).toEqual([0, 0, 0]);

    const { found, lines } = await importing(gateway, path);
    expect(found.created).toEqual(created);
    // What was created is what the file says.
    expect(
      lines.map(({ line, verdict, differences }) => [line, verdict, differences.map(({ column }) => column)]),
    ).toEqual([
      ...[2, 3, 4, 5, 6].map((line) => [line, 'EQUAL', []]),
      [7, 'DIFFERENT', ['BillableQuantity', 'EffectiveUnitPrice']],
      [8, 'DIFFERENT', ['BillableQuantity', 'EffectiveUnitPrice']],
      [9, 'MISSING_HERE', []],
    ]);
    expect(
      await gateway.sql(`select c.company_name as name, c.domain, (select sum(amount)::text from invoice_lines l join invoices i on i.id = l.invoice_id where i.customer_id = c.id) as invoiced,
        c.imported_from = (select id from reconciliations) as marked from customers c order by c.company_name`),
    ).toEqual([
      { name: 'Contoso, "the" company', domain: 'contoso.onmicrosoft.com', invoiced: '18679.05', marked: true },
      { name: 'Fabrikam', domain: 'fabrikam.onmicrosoft.com', invoiced: '99.99', marked: true },
    ]);
    expect(await gateway.sql('select 1 from ledger_entries having sum(amount) <> 0')).toEqual([]);
    const { data, errors } = await gateway.run(
      `{ orders(first: 10) { nodes { number status placedBy lines { quantity status total { amount } term { start } sku { kind termDuration }
         entitlement { status quantity } } } } }`,
    );
    expect(errors).toBeUndefined();
    const told = data.orders.nodes.map((order: { number: string; lines: object[] }) => [order.number, order]);
    const [sold, licensed, cancelled, renewed] = ['a1', 'a2', 'a3', 'a4'].map((end) =>
      new Map<string, object>(told).get(`0000000000${end}`),
    );
    expect(sold).toMatchObject({
      ...{ status: 'COMPLETED', placedBy: 'reconciliation' },
      lines: [
        {
          quantity: 3,
          total: { amount: '18465.99' },
          term: null,
          sku: { kind: 'PERPETUAL_SOFTWARE' },
          entitlement: { status: 'ACTIVE', quantity: 3 },
        },
      ],
    });
    expect(licensed).toMatchObject({
      lines: [
        {
          quantity: 10,
          term: { start: `${month.slice(0, 8)}13` },
          sku: { kind: 'SOFTWARE_SUBSCRIPTION', termDuration: 'P1Y' },
        },
      ],
    });
    expect(cancelled).toMatchObject({
      status: 'CANCELLED',
      lines: [{ status: 'CANCELLED', entitlement: { status: 'REVOKED' } }],
    });
    expect(renewed).toMatchObject({ status: 'COMPLETED', lines: [{ quantity: 1, entitlement: { status: 'ACTIVE' } }] });
    const again = await importing(gateway, path);
    expect([again.found.created, await count('customers'), await count('invoice_lines')]).toEqual([null, 2, 7]);
  });

  test('afterwards unknown customers are created only when asked for, and what is known is left alone', async () => {
    const stranger = randomUUID();
    const more = files.csv([
      row({
        CustomerId: stranger,
        CustomerDomainName: 'contoso.onmicrosoft.com',
        InvoiceNumber: 'G000000002',
        OrderId: '0000000000a6',
        ...server,
        SkuName: 'Another title',
      }),
      row({ CustomerId: contoso, InvoiceNumber: 'G000000002', OrderId: '0000000000a7', ...server }),
    ]);
    const held = await importing(gateway, more);
    expect([held.found.created, held.lines.map(({ verdict }) => verdict)]).toEqual([
      null,
      ['MISSING_HERE', 'MISSING_HERE'],
    ]);
    const { found, lines } = await importing(gateway, more, { createUnknown: true });
    expect(found.created).toMatchObject({ customers: 1, products: 0, skus: 0, orders: 1, charges: 1, left: 0 });
    expect(lines.map(({ verdict }) => verdict)).toEqual(['EQUAL', 'MISSING_HERE']);
    // Its domain is taken.
    expect(await gateway.sql('select domain from customers where tenant_id = ?', [stranger])).toEqual([
      { domain: `${stranger}.invalid` },
    ]);
    expect(await gateway.sql(`select title from skus where title = 'Another title'`)).toEqual([]);
  });

  test('what was created says out of which file and line, with the tax of it, in the graph', async () => {
    const { data, errors } = await gateway.run(
      `{ reconciliations(first: 1, filter: { month: "${month}" }) { nodes { id manifestEtag } }
         invoices(first: 10) { nodes { customer { tenantId } total { amount } lines { amount { amount } taxAmount { amount }
           order { number importedFrom { fileName sha256 } } evidence { verdict statementLine reconciliation { sha256 } } } } } }`,
    );
    expect(errors).toBeUndefined();
    const { lines } = data['invoices'].nodes.find(
      ({ customer }: { customer: { tenantId: string } }) => customer.tenantId === contoso,
    );
    const first = lines.find(({ order }: { order: { number: string } }) => order.number === '0000000000a1');
    expect(first).toMatchObject({ amount: { amount: '18465.99' }, taxAmount: { amount: '1.01' } });
    expect(first.evidence).toMatchObject({ verdict: 'EQUAL', statementLine: 2 });
    const asked = '{ orders(first: 10) { nodes { number importedFrom { fileName sha256 } } } }';
    const orders = (await gateway.run(asked)).data['orders'].nodes;
    expect(orders.find(({ number }: { number: string }) => number === '0000000000a1').importedFrom.sha256).toBe(
      first.evidence.reconciliation.sha256,
    );
    expect((await gateway.run(asked, {}, 'HELPDESK_AGENT')).errors?.[0]?.extensions?.['coordinate']).toBe(
      'Order.importedFrom',
    );
  });

  test('the eTag of a manifest is kept with the evidence', async () => {
    const manifestEtag = '0x8DCF1234';
    await importing(gateway, path, { manifestEtag });
    await importing(gateway, path);
    expect(
      await gateway.sql('select manifest_etag as etag from reconciliations where manifest_etag is not null'),
    ).toEqual([{ etag: manifestEtag }]);
  });

  test('into a closed month nothing is created: the month is named, and the next open one', async () => {
    const closed = monthAt(-1);
    await gateway.sql('insert into month_closings (month) values (?)', [closed]);
    const file = () =>
      files.csv([row({ CustomerId: randomUUID(), InvoiceNumber: 'G000000003', OrderId: '0000000000a8', ...server })]);
    const late = file();
    for (const dryRun of [true, false])
      await expect(importing(gateway, late, { createUnknown: true, month: closed, dryRun })).rejects.toThrow(
        `The month ${closed.slice(0, 7)} was closed here on ${new Date().toISOString().slice(0, 10)}, so that nothing can be booked on it, and this file has charges to create. Say --month ${month.slice(0, 7)} to book them`,
      );
    const { found } = await importing(gateway, late, { createUnknown: true });
    expect(found.created).toMatchObject({ customers: 1, charges: 1 });
  });
});
