import { describe, expect, test } from '@jest/globals';
import { PRICE_LIST_COLUMNS, PriceListHeader } from '../../src/partner-center/price-list/price-list-columns.js';
import { parsePriceListDate } from '../../src/partner-center/price-list/price-list-date.js';
import { validateRow } from '../../src/partner-center/price-list/price-list-row.js';

const GOOD = {
  ProductTitle: 'Windows Rights Management Services CAL 2022',
  ProductId: 'DG7GMGF0D5SL',
  SkuId: '7',
  SkuTitle: 'Rights Management Services (RMS) 2022 CAL-1 Device',
  Publisher: 'Microsoft',
  SkuDescription: '…',
  UnitOfMeasure: '',
  TermDuration: 'OneTime',
  BillingPlan: '',
  Market: 'US',
  Currency: 'USD',
  UnitPrice: '31.4',
  PricingTierRangeMin: '',
  PricingTierRangeMax: '',
  EffectiveStartDate: '2021-10-01T00:00:00.0000000Z',
  EffectiveEndDate: '9999-11-30T23:59:59.0000000Z',
  Tags: 'Software;Perpetual',
  'ERP Price': '',
  Segment: 'Commercial',
};

const judge = (changes: Partial<typeof GOOD> = {}) => validateRow({ ...GOOD, ...changes }, new Set(['US', 'JP', 'KW']));
const kept = (changes: Partial<typeof GOOD> = {}) => {
  const validated = judge(changes);
  if ('faults' in validated) throw new Error(JSON.stringify(validated.faults));
  return validated.row;
};
const faults = (changes: Partial<typeof GOOD>) => {
  const validated = judge(changes);
  return 'faults' in validated ? validated.faults.map((fault) => `${fault.column}: ${fault.reason}`) : [];
};

describe('dates', () => {
  test.each([
    ['2/1/2019 12:00:00 AM', '2019-02-01T00:00:00.000Z'],
    ['2/4/2021 8:35:31 PM', '2021-02-04T20:35:31.000Z'],
    ['12/31/2021 12:00:00 PM', '2021-12-31T12:00:00.000Z'],
    ['2/1/2023 0:00', '2023-02-01T00:00:00.000Z'],
    ['11/30/9999 23:59', '9999-11-30T23:59:00.000Z'],
    ['2021-10-01T00:00:00.0000000Z', '2021-10-01T00:00:00.000Z'],
    ['2021-10-01T00:00:00.1239999Z', '2021-10-01T00:00:00.123Z'],
    ['9999-11-30T23:59:59.0000000Z', '9999-11-30T23:59:59.000Z'],
    ['2/29/2024 0:00', '2024-02-29T00:00:00.000Z'],
  ])('%s is read month first, in UTC', (text, instant) => {
    expect(parsePriceListDate(text)).toEqual(new Date(instant));
  });

  test.each([
    '2/29/2023 0:00',
    '13/1/2023 0:00',
    '2/1/2023 24:00',
    '2/1/2023 13:00:00 PM',
    '2/1/2023 0:00:00 AM',
    '2023-02-30T00:00:00.0000000Z',
    '0000-01-01T00:00:00.0000000Z',
    '1.2.2023',
    '2023-02-01',
    '',
  ])('%j is refused', (text) => {
    expect(parsePriceListDate(text)).toBeNull();
  });
});

describe('the kind of a SKU', () => {
  test.each([
    [{}, 'PERPETUAL_SOFTWARE', null],
    [{ TermDuration: 'onetime', Tags: 'License' }, 'PERPETUAL_SOFTWARE', null],
    [{ TermDuration: '', Tags: 'Software; perpetual' }, 'PERPETUAL_SOFTWARE', null],
    [{ TermDuration: 'P1Y', Tags: 'Software;Subscription' }, 'SOFTWARE_SUBSCRIPTION', 'P1Y'],
    [{ TermDuration: 'P1M', Tags: '' }, 'SOFTWARE_SUBSCRIPTION', 'P1M'],
    [{ TermDuration: 'p3y', Tags: 'Azure;Reservation' }, 'AZURE_RESERVATION', 'P3Y'],
    [
      { TermDuration: 'P1Y', Tags: '', SkuTitle: 'Reserved VM Instance, Standard_NV12, US East 2, 1 Year' },
      'AZURE_RESERVATION',
      'P1Y',
    ],
    [{ TermDuration: 'P1Y', Tags: 'Software', ProductTitle: 'SUSE Linux Enterprise Server' }, 'LINUX_PLAN', 'P1Y'],
  ])('%j is %s with term %s', (changes, kind, termDuration) => {
    expect(kept(changes)).toMatchObject({ kind, termDuration });
  });

  test.each([
    { TermDuration: 'P1Y' },
    { Tags: 'Software;Subscription' },
    { Tags: 'Azure;Reservation' },
    { TermDuration: 'payG-1', Tags: 'Azure' },
    { TermDuration: '', Tags: 'Software' },
    { TermDuration: 'P0Y', Tags: 'Software' },
  ])('%j is refused', (changes) => {
    expect(faults(changes)).toEqual([expect.stringContaining('TermDuration: ')]);
  });
});

describe('cells', () => {
  test('a SKU id gets the zeros back that a spreadsheet took', () => {
    expect(kept({ SkuId: '7' }).skuId).toBe('0007');
    expect(kept({ SkuId: '4g' }).skuId).toBe('004G');
    expect(kept({ SkuId: '000C' }).skuId).toBe('000C');
  });

  test.each([
    ['31.4', 'USD', '31.40'],
    ['0', 'USD', '0.00'],
    ['115.200000', 'USD', '115.20'],
    ['8765.4321', 'USD', '8765.4321'],
    ['12000', 'JPY', '12000'],
    ['1.5', 'KWD', '1.500'],
  ])('a unit price of %s %s is kept as %s', (UnitPrice, Currency, amount) => {
    expect(kept({ UnitPrice, Currency }).unitPrice).toBe(amount);
  });

  test.each(['', '-1', '+1', '1e3', '1,234.50', '1.234,50', '$5', '5.', '.5', '0.12345', '1000000000000', 'NaN', '٣'])(
    'a unit price of %j is refused',
    (UnitPrice) => {
      expect(faults({ UnitPrice })).toEqual([expect.stringContaining('UnitPrice: ')]);
    },
  );

  test.each([
    ['Commercial', 'COMMERCIAL'],
    ['EDUCATION', 'EDUCATION'],
    ['Charity', 'CHARITY'],
    ['nonprofit', 'CHARITY'],
    ['Government', 'GOVERNMENT'],
  ])('segment %s is %s', (Segment, segment) => {
    expect(kept({ Segment }).segment).toBe(segment);
  });

  test.each([
    ['', 'ONE_TIME'],
    ['None', 'ONE_TIME'],
    ['Monthly', 'MONTHLY'],
    ['Annual', 'ANNUAL'],
    ['Triennial', 'TRIENNIAL'],
  ])('billing plan %j is %s', (BillingPlan, billingPlan) => {
    expect(kept({ BillingPlan }).billingPlan).toBe(billingPlan);
  });

  test('an open end is the same whether or not a spreadsheet cut its seconds off', () => {
    expect(kept({ EffectiveEndDate: '11/30/9999 23:59' }).endsAt).toEqual(kept().endsAt);
  });

  test.each([
    [{ ProductId: 'DG7GMGF0D5S' }, 'ProductId'],
    [{ SkuId: '00007' }, 'SkuId'],
    [{ SkuId: 'A-1' }, 'SkuId'],
    [{ ProductTitle: '' }, 'ProductTitle'],
    [{ SkuTitle: 'a\u0000b' }, 'SkuTitle'],
    [{ Publisher: 'Micro\ufffdsoft' }, 'Publisher'],
    [{ BillingPlan: 'constructor' }, 'BillingPlan'],
    [{ Segment: '__proto__' }, 'Segment'],
    [{ Market: 'XX' }, 'Market'],
    [{ Currency: 'XYZ' }, 'Currency'],
    [{ PricingTierRangeMin: '-1' }, 'PricingTierRangeMin'],
    [{ PricingTierRangeMin: '9', PricingTierRangeMax: '8' }, 'PricingTierRangeMax'],
    [{ PricingTierRangeMax: '9999999999' }, 'PricingTierRangeMax'],
    [{ EffectiveEndDate: GOOD.EffectiveStartDate }, 'EffectiveEndDate'],
  ])('%j is refused', (changes, column) => {
    expect(faults(changes)).toEqual([expect.stringContaining(`${column}: `)]);
  });

  test('all faults of a row are told together', () => {
    expect(faults({ SkuId: 'toolong', UnitPrice: 'free', Currency: '' })).toHaveLength(3);
  });
});

describe('the header', () => {
  test('columns are found by name, in any order, with and without the optional ones', () => {
    const header = new PriceListHeader([
      'ChangeIndicator',
      ...PRICE_LIST_COLUMNS.filter((column) => column !== 'Segment').reverse(),
    ]);
    const cells = header.cellsOf(['Unchanged', ...Array.from({ length: 18 }, (_, position) => ` ${position} `)]);
    expect(cells).toMatchObject({ 'ERP Price': '0', ProductTitle: '17', Segment: 'Commercial' });
  });

  test('missing, unknown and repeated columns are named', () => {
    const header = [...PRICE_LIST_COLUMNS.filter((column) => column !== 'Tags'), 'MeterId', 'Market'];
    expect(() => new PriceListHeader(header)).toThrow(
      /missing: Tags; columns are unknown: "MeterId"; columns are there twice: "Market"/,
    );
  });
});
