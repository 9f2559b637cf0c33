import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parseDate } from '../../src/partner-center/files/dates.js';
import { isAmbiguousDecimal, parseDecimal } from '../../src/partner-center/files/decimals.js';
import { RECONCILIATION_COLUMNS } from '../../src/partner-center/reconciliation/columns.js';
import {
  type ReconciliationLine,
  readReconciliationLines,
} from '../../src/partner-center/reconciliation/read-lines.js';
import { readRow } from '../../src/partner-center/reconciliation/row.js';
import { inferSpelling, type Spelling } from '../../src/partner-center/reconciliation/spelling.js';
import { StatementFiles, type StatementRow, statementRow } from '../support/reconciliation-files.js';

const files = new StatementFiles(mkdtempSync(join(tmpdir(), 'csp-graph-statements-')));
afterAll(() => rmSync(files.folder, { recursive: true }));

const ROW = statementRow({
  CustomerId: '1A2B3C4D-0000-4000-8000-000000000001',
  OrderId: 'Z1bXNpTk9wYVlEdz09,0a1b2c3d4e5f',
  ProductId: 'DG7GMGF0FKZV',
  SkuId: '0002',
  OrderDate: '10/13/2026',
  ChargeStartDate: '10/3/2026',
  ChargeEndDate: '10/2/2027',
  UnitPrice: '12.5',
  Quantity: '4',
});

async function reading(path: string, told: Partial<Spelling> = {}) {
  const header = await inferSpelling(path, told);
  const lines: ReconciliationLine[] = [];
  for await (const line of readReconciliationLines(path)) if (!('format' in line)) lines.push(line);
  return { header, lines, rows: lines.map((line) => ('cells' in line ? readRow(line.cells, header) : line)) };
}
const read = async (row: StatementRow, told: Partial<Spelling> = {}) => (await reading(files.csv([row]), told)).rows[0];
const faultsOf = async (row: StatementRow, told: Partial<Spelling> = {}) => {
  const found = await read({ ...ROW, ...row }, told);
  return found && 'faults' in found ? found.faults.map(({ column, reason }) => `${column}: ${reason}`) : [];
};

describe('the reconciliation file', () => {
  test('is read as it is downloaded: byte order mark, CRLF, doubled quotes, dates with the month first', async () => {
    const { header, lines, rows } = await reading(files.csv([ROW]));
    expect(header).toMatchObject({ format: 'CSV', unknown: [], dates: 'month-first', decimals: 'point' });
    expect(header.columns).toEqual(RECONCILIATION_COLUMNS);
    expect(rows).toEqual([
      {
        oddities: [],
        row: expect.objectContaining({
          customerTenantId: '1a2b3c4d-0000-4000-8000-000000000001',
          customerName: 'Contoso, "the" company',
          orderNumber: '0a1b2c3d4e5f',
          orderReference: 'Z1bXNpTk9wYVlEdz09',
          chargeStart: '2026-10-03',
          chargeEnd: '2027-10-02',
          unitPrice: '12.5',
          quantity: '4',
          subtotal: '50',
          total: '50',
        }),
      },
    ]);
    expect(JSON.parse((lines[0] as { content: string }).content)).toMatchObject({
      PriceAdjustmentDescription: '["10.0% example discount"]',
      CustomerId: '1A2B3C4D-0000-4000-8000-000000000001',
    });
  });

  test('has its columns in any order, case and under any of their names; those that are not known are kept', async () => {
    const renamed: Record<string, string> = { ResellerMpnId: 'Tier2MpnId', Total: 'totalForCustomer' };
    const columns = RECONCILIATION_COLUMNS.toReversed().map((name) => renamed[name] ?? name);
    const header = [...columns, 'ProductCategory'].map(
      (name) => (name as string)[0]?.toLowerCase() + (name as string).slice(1),
    );
    const cells = [...RECONCILIATION_COLUMNS.toReversed().map((name) => ROW[name] ?? ''), 'Software'];
    const body = cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join();
    const { header: found, lines, rows } = await reading(files.text(`${header.join()}\n${body}\n`, 'renamed.csv'));
    expect(found.unknown).toEqual(['productCategory']);
    expect(rows[0]).toMatchObject({ row: { total: '50', orderNumber: '0a1b2c3d4e5f' } });
    expect(JSON.parse((lines[0] as { content: string }).content)).toMatchObject({ productCategory: 'Software' });
  });

  test('of the billing export is read line by line, gzipped, numbers exactly as they stand', async () => {
    const { ChargeType: _, ...row } = ROW;
    const line = {
      ...row,
      ChargeType: 'Purchase',
      ProductQualifiers: ['Commercial', 'Other'],
      OrderDate: '2026-10-13T08:00:00.123Z',
      ChargeStartDate: '2026-10-03T00:00:00Z',
      ChargeEndDate: '2027-10-02T00:00:00Z',
    };
    const text = JSON.stringify(line).replace('"Subtotal":"50"', '"Subtotal":12345678901234567.89');
    const two = `${text}\n\n{"broken":\n${text.replace('"TaxTotal":"0",', '')}`;
    const { header, lines, rows } = await reading(files.text(gzipSync(two), 'export.json.gz'));
    expect(header).toMatchObject({ format: 'JSON_LINES', decimals: 'point', dates: null });
    expect(rows).toEqual([
      {
        row: expect.objectContaining({
          chargeType: 'new',
          subtotal: '12345678901234567.89',
          orderedAt: '2026-10-13T08:00:00.123Z',
          chargeStart: '2026-10-03',
        }),
        oddities: ['TOTAL_DIFFERS'],
      },
      { line: 3, unreadable: 'is no JSON object: "{\\"broken\\":"' },
      { row: expect.objectContaining({ taxTotal: '-12345678901234517.89' }), oddities: [] },
    ]);
    expect((lines[0] as { content: string }).content).toBe(text);
  });

  test.each([
    ['Purchase', 'new'],
    ['New', 'new'],
    ['refund', 'cancelImmediate'],
    ['Cancel', 'cancelImmediate'],
    ['CYCLECHARGE', 'cycleCharge'],
    ['customerCredit', 'customerCredit'],
  ])('says %s for what is %s today', async (written, today) => {
    expect(await read({ ...ROW, ChargeType: written })).toMatchObject({ row: { chargeType: today }, oddities: [] });
  });

  test('may have a charge type that is yet to come: it is kept, and told', async () => {
    expect(await read({ ...ROW, ChargeType: 'teleport' })).toMatchObject({
      row: { chargeType: 'teleport' },
      oddities: ['CHARGE_TYPE_UNKNOWN'],
    });
  });

  test('that a spreadsheet has been at is told for what it is', async () => {
    expect(await read({ ...ROW, SkuId: '2' })).toMatchObject({ row: { skuId: '0002' }, oddities: ['SKU_ID_PADDED'] });
    const lost = /^OrderId: is an id that a spreadsheet has taken for a number: its last digits are lost/;
    expect(await faultsOf({ OrderId: '1.23457E+15' })).toEqual([expect.stringMatching(lost)]);
    expect(await faultsOf({ OrderId: '1234567890123450000' })).toEqual([expect.stringMatching(lost)]);
    expect(await read({ ...ROW, OrderId: '1234567e8901' })).toMatchObject({ row: { orderNumber: '1234567e8901' } });
    expect(await faultsOf({ ChargeStartDate: '46298' })).toEqual([
      expect.stringMatching(/^ChargeStartDate: is the number that a spreadsheet keeps in the place of a day/),
    ]);
    expect(await faultsOf({ Subtotal: '#######' })).toEqual([
      expect.stringMatching(/^Subtotal: is what a spreadsheet shows/),
    ]);
  });

  test('has bad rows told with words, all of a row', async () => {
    expect(
      await faultsOf({
        CustomerId: 'contoso',
        Currency: 'DOLLAR',
        Total: '',
        ChargeEndDate: '13/31/2026',
        ChargeType: '',
      }),
    ).toEqual([
      'Total: is blank',
      expect.stringMatching(/^CustomerId: must be the tenant id of a customer/),
      'Currency: must be a currency by its three letters (ISO 4217) such as USD',
      'ChargeEndDate: must be an existing day such as 10/31/2026 or 2026-10-31 (month-first)',
      'ChargeType: is blank',
    ]);
    const columns = RECONCILIATION_COLUMNS.join();
    const { rows } = await reading(files.text(`sep=,\n${columns}\na,b\n"`, 'broken.csv'), { dates: 'month-first' });
    expect(rows).toEqual([
      { line: 3, unreadable: 'has 2 columns where the header has 46' },
      { line: 4, unreadable: 'a quote is not closed, or the file is cut off' },
    ]);
  });

  test.each([
    [
      'CustomerId,OrderId\na,b\n',
      /columns are missing: ProductId, SkuId, ChargeType, Subtotal, Total, Currency, BillableQuantity or Quantity/,
    ],
    [`${RECONCILIATION_COLUMNS.join()},Total\n`, /columns are there twice: "Total"/],
    ['UsageDate,MeterId,MeterType\n', /daily rated usage file, which holds no software/],
    ['DurableOfferId,SyndicationPartnerSubscriptionNumber\n', /licences from before new commerce/],
    ['[{"CustomerId":1}]', /one JSON document/],
    ['\n\n', /is empty/],
    [`${RECONCILIATION_COLUMNS.join()}\n`, /holds no rows/],
  ])('is refused where it is another one: %s', async (text, reason) => {
    await expect(reading(files.text(text, 'other.csv'))).rejects.toThrow(reason);
  });
});

test('50,000 lines are read in memory that does not grow with them', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const path = files.many(50_000, ROW);
  const header = await inferSpelling(path, {});
  const used: number[] = [];
  let rows = 0;
  let total = 0;
  for await (const line of readReconciliationLines(path)) {
    if ('cells' in line) {
      const read = readRow(line.cells, header);
      rows += 1;
      if ('row' in read) total += Number(read.row.total);
    }
    if (rows % 10_000 !== 0) continue;
    collect();
    used.push(process.memoryUsage().heapUsed);
  }
  expect([rows, total]).toEqual([50_000, 2_500_000]);
  // Between the first ten thousand rows and the last ones nothing is kept: a row alone has three kilobytes as objects.
  expect((used.at(-1) as number) - (used[1] as number)).toBeLessThan(8_000_000);
});

describe('how a file writes dates and numbers', () => {
  const both = { ...ROW, OrderDate: '10/3/2026', ChargeEndDate: '1/2/2027' };

  test('is told by the first cell that can be read in one way only, wherever it stands', async () => {
    const german = {
      OrderDate: '03.10.2026',
      ChargeStartDate: '03.10.2026',
      ChargeEndDate: '31.10.2027',
      UnitPrice: '1.234,5',
    };
    const { header, rows } = await reading(
      files.csv([
        {
          ...ROW,
          ...german,
          ChargeEndDate: '02.01.2027',
          EffectiveUnitPrice: '1.234',
          UnitPrice: '1.234',
          Subtotal: '4.936',
          Total: '4.936',
        },
        { ...ROW, ...german, EffectiveUnitPrice: '1.234,5', Subtotal: '4.938', Total: '4.938' },
      ]),
    );
    expect(header).toMatchObject({ dates: 'day-first', decimals: 'comma' });
    expect(rows).toMatchObject([
      { row: { chargeStart: '2026-10-03', chargeEnd: '2027-01-02', unitPrice: '1234', total: '4936' } },
      { row: { chargeEnd: '2027-10-31', unitPrice: '1234.5', total: '4938' } },
    ]);
  });

  test('is asked for where every cell can be read in two ways', async () => {
    const path = files.csv([both]);
    await expect(reading(path)).rejects.toThrow(
      'line 2, OrderDate "10/3/2026" can be read in two ways, and no date of the file says in which. Say it with --dates month-first or --dates day-first.',
    );
    expect((await reading(path, { dates: 'day-first' })).rows).toMatchObject([
      { row: { orderedAt: '2026-03-10T00:00:00.000Z', chargeEnd: '2027-02-01' } },
    ]);
    const prices = { UnitPrice: '1,234', EffectiveUnitPrice: '1,234', Subtotal: '4,936', Total: '4,936' };
    const numbers = files.csv([{ ...ROW, ...prices }]);
    await expect(reading(numbers)).rejects.toThrow(/line 2, UnitPrice "1,234" can be read in two ways.*--decimals/);
    expect((await reading(numbers, { decimals: 'comma' })).rows).toMatchObject([{ row: { total: '4.936' } }]);
    expect((await reading(numbers, { decimals: 'point' })).rows).toMatchObject([{ row: { total: '4936' } }]);
  });

  test('needs no telling where nothing can be read in two ways', async () => {
    const iso = {
      ...ROW,
      OrderDate: '2026-10-03',
      ChargeStartDate: '10/10/2026',
      ChargeEndDate: '',
      UnitPrice: '12',
      EffectiveUnitPrice: '12',
    };
    expect((await reading(files.csv([iso]))).rows).toMatchObject([
      { row: { orderedAt: '2026-10-03T00:00:00.000Z', chargeStart: '2026-10-10', chargeEnd: null } },
    ]);
  });

  test.each([
    ['1/31/2026', 'month-first', '2026-01-31T00:00:00.000Z'],
    ['31.01.2026 00:00:00', 'day-first', '2026-01-31T00:00:00.000Z'],
    ['2/1/2026 1:05:09 PM', 'month-first', '2026-02-01T13:05:09.000Z'],
    ['2026/2/1', null, '2026-02-01T00:00:00.000Z'],
    ['2026. 02. 01.', null, '2026-02-01T00:00:00.000Z'],
    ['2026-02-01T08:00:00.1234567Z', null, '2026-02-01T08:00:00.123Z'],
    ['2/29/2026', 'month-first', null],
    ['2/1/2026 25:00', 'month-first', null],
    ['2/1/2026', null, null],
    ['February 1, 2026', null, null],
  ] as const)('%s (%s) is %s', (text, order, instant) => {
    expect(parseDate(text, order)?.toISOString() ?? null).toBe(instant);
  });

  test.each([
    ['1,234,567.89', 'point', '1234567.89'],
    ['1 234,5', 'comma', '1234.5'],
    ['1’234.50', 'point', '1234.50'],
    ['-0,07', 'comma', '-0.07'],
    ['\u221212.5', 'point', '-12.5'],
    ['12.5', 'comma', null],
    ['1,23,456', 'point', null],
    ['(12.50)', 'point', null],
    ['$12', 'point', null],
    ['1,234', null, null],
    ['0,123', null, '0.123'],
  ] as const)('%s with a decimal %s is %s', (text, mark, value) => {
    expect(parseDecimal(text, mark)).toBe(value);
  });

  test('a number is doubtful only where it is another one by each mark', () => {
    expect(['1.234', '12.345', '0.123', '1234.567', '1.23', '1,234.5', '1234'].map(isAmbiguousDecimal)).toEqual([
      true,
      true,
      ...Array(5).fill(false),
    ]);
  });
});
