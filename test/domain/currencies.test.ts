import { describe, expect, test } from '@jest/globals';
import { isCurrency, minorUnitDigits } from '../../src/domain/currencies.js';
import { referenceMarkets } from '../../src/seed/reference/reference-data.js';

describe('currencies', () => {
  test.each([
    [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
    [2, 'USD EUR GBP HUF IDR COP PKR AFN ALL IRR KPW LAK LBP MGA MMK SOS SYP YER MRU XCG XAD ZWG SLE'],
    [3, 'BHD IQD JOD KWD LYD OMR TND'],
    [4, 'CLF UYW'],
  ])('ISO 4217 gives %i digits to the minor unit of %s', (digits, codes) => {
    for (const code of codes.split(' ')) expect([code, minorUnitDigits(code)]).toEqual([code, digits]);
  });

  test('what ISO lists without a minor unit, what it never listed and small letters are no currencies', () => {
    for (const code of ['XAU', 'XDR', 'XTS', 'XXX', 'ZZZ', 'BTC', 'usd', '', 'constructor'])
      expect([code, isCurrency(code)]).toEqual([code, false]);
  });

  test('withdrawn ones of the last years are currencies still: orders are in them', () => {
    for (const code of ['BGN', 'HRK', 'ANG', 'CUC']) expect([code, isCurrency(code)]).toEqual([code, true]);
  });

  test('markets are sold in currencies that exist', () => {
    const currencies = new Set([...referenceMarkets.values()].flatMap((market) => market.currencies));
    expect([...currencies].filter((code) => !isCurrency(code))).toEqual([]);
  });
});
