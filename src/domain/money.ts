import { Decimal as RoundingDecimal } from 'decimal.js';
import { minorUnitDigits } from './currencies.js';

/** Exact for every amount times every quantity: the default of 20 digits would round the largest. */
const Decimal = RoundingDecimal.clone({ precision: 60 });

/** An amount of money: a decimal string, never a float, with its ISO 4217 currency. */
export interface Money {
  amount: string;
  currency: string;
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

/** `amount` without what is finer than the currency's minor unit: 12.3456 USD is 12.34. Nothing is rounded up. */
export function cutToMinorUnit(amount: RoundingDecimal.Value, currency: string): string {
  const cut = new Decimal(amount).toDecimalPlaces(minorUnitDigits(currency), RoundingDecimal.ROUND_DOWN);
  return formatAmount(cut, currency);
}

/** `amount` × `share` / `whole`, cut to the currency's minor unit (rule 16). */
export function prorate(amount: string, share: number, whole: number, currency: string): string {
  return cutToMinorUnit(new Decimal(amount).times(share).div(whole), currency);
}

/** Whether nothing is left of an amount: `0`, `0.00`. */
export function isZero(amount: string): boolean {
  return new Decimal(amount).isZero();
}
