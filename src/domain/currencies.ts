/**
 * ISO 4217, list one as published on 2026-01-01: the currencies in use and the digits of their minor units. The table is
 * the product's own, so that what is charged does not change with the Node that runs: ICU has Unicode's figures, which
 * are for display, and says 0 for HUF, IDR, COP, PKR, IQD and others where ISO says 2 or 3.
 */
const CURRENT: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP
    COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
    JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN
    NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL
    THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

/** Withdrawn since the programme began to sell software (2018): price lists and orders of then are in them. */
const WITHDRAWN: Readonly<Record<number, string>> = { 2: 'ANG BGN CUC HRK MRO SLL STD VEF ZWL' };

// Metals, bond units, drawing rights, XTS and XXX are on the list without a minor unit ("N.A."): nobody pays in them.
const digitsOf: ReadonlyMap<string, number> = new Map(
  [CURRENT, WITHDRAWN].flatMap((table) =>
    Object.entries(table).flatMap(([digits, codes]) =>
      codes.split(/\s+/).map((code): [string, number] => [code, Number(digits)]),
    ),
  ),
);

/** Whether there is a currency of this code, in capitals, that amounts can be in: in use, or withdrawn since 2018. */
export function isCurrency(code: string): boolean {
  return digitsOf.has(code);
}

/** Currencies by the digits of their minor unit, where those are not 2. */
export const otherMinorUnits: readonly { digits: number; codes: readonly string[] }[] = Object.entries(CURRENT)
  .filter(([digits]) => digits !== '2')
  .map(([digits, codes]) => ({ digits: Number(digits), codes: codes.split(/\s+/) }));

/**
 * Digits after the point in the minor unit of a currency: USD 2, JPY 0, KWD 3, CLF 4. For a code that is none 2 is
 * answered: rows from before this table may be in a currency that was withdrawn long ago, and must still be read.
 */
export function minorUnitDigits(currency: string): number {
  return digitsOf.get(currency) ?? 2;
}
