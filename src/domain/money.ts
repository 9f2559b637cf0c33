import { Decimal as RoundingDecimal } from 'decimal.js';

/** Exact for every amount times every quantity: the default of 20 digits would round the largest. */
const Decimal = RoundingDecimal.clone({ precision: 60 });

/** An amount of money: a decimal string, never a float, with its ISO 4217 currency. */
export interface Money {
  amount: string;
  currency: string;
}

const digitsByCurrency = new Map<string, number>();

/** Digits after the point in a currency's minor unit: USD 2, JPY 0, KWD 3. */
export function minorUnitDigits(currency: string): number {
  let digits = digitsByCurrency.get(currency);
  if (digits === undefined) {
    digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
    digitsByCurrency.set(currency, digits);
  }
  return digits;
}

/** `amount` as text with at least the minor unit's digits: `115.2` USD becomes `115.20`, `0.0035` stays. */
export function formatAmount(amount: RoundingDecimal.Value, currency: string): string {
  const value = new Decimal(amount);
  return value.toFixed(Math.max(value.decimalPlaces(), minorUnitDigits(currency)));
}

/** What `quantity` units cost. */
export function times(unit: string, quantity: number, currency: string): string {
  return formatAmount(new Decimal(unit).times(quantity), currency);
}

/** The sum of amounts in one currency. */
export function sum(amounts: string[], currency: string): string {
  return formatAmount(
    amounts.reduce((total, amount) => total.plus(amount), new Decimal(0)),
    currency,
  );
}

/** `amount` × `share` / `whole`, cut (not rounded) to the currency's minor unit (rule 16). */
export function prorate(amount: string, share: number, whole: number, currency: string): string {
  const cut = new Decimal(amount)
    .times(share)
    .div(whole)
    .toDecimalPlaces(minorUnitDigits(currency), RoundingDecimal.ROUND_DOWN);
  return formatAmount(cut, currency);
}
