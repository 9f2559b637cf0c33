import { isCurrency } from '../../domain/currencies.js';
import { formatAmount } from '../../domain/money.js';
import { BillingPlan, Segment } from '../../domain/product-kind.js';
import { type DateOrder } from '../files/dates.js';
import { InvalidCell } from '../files/invalid-cell.js';
import { parsePriceListDate } from './price-list-date.js';

const BILLING_PLANS = new Map<string, BillingPlan>([
  ['', BillingPlan.ONE_TIME],
  ['none', BillingPlan.ONE_TIME],
  ['onetime', BillingPlan.ONE_TIME],
  ['monthly', BillingPlan.MONTHLY],
  ['annual', BillingPlan.ANNUAL],
  ['triennial', BillingPlan.TRIENNIAL],
]);

/** The list says Charity where the real API says nonprofit. */
const SEGMENTS = new Map<string, Segment>([
  ['commercial', Segment.COMMERCIAL],
  ['education', Segment.EDUCATION],
  ['charity', Segment.CHARITY],
  ['nonprofit', Segment.CHARITY],
  ['government', Segment.GOVERNMENT],
]);

/** The open end; spreadsheets cut its seconds off, so any end of that year is taken for it. */
const OPEN_END = new Date('9999-11-30T23:59:59.000Z');
const LARGEST_INTEGER = 2_147_483_647;
/** What text in PostgreSQL cannot hold, or a terminal should not be sent. */
const CONTROL_CHARACTER = /[^\P{Cc}\t\n\r]/u;

/** A product id: 12 characters, upper-case. */
export function productIdOf(text: string): string | InvalidCell {
  const id = text.toUpperCase();
  return /^[A-Z0-9]{12}$/.test(id) ? id : new InvalidCell('must be 12 letters and digits such as DG7GMGF0FKZV');
}

/** Spreadsheets turn 0007 into 7: the zeros are put back. */
export function skuIdOf(text: string): string | InvalidCell {
  const id = text.toUpperCase();
  return /^[A-Z0-9]{1,4}$/.test(id)
    ? id.padStart(4, '0')
    : new InvalidCell('must be up to 4 letters and digits such as 0007');
}

/** A title or a name, on one line. */
export function titleOf(text: string): string | InvalidCell {
  if (text === '') return new InvalidCell('is blank');
  if (text.includes('\ufffd')) return new InvalidCell('is not UTF-8 text; save the file as "CSV UTF-8"');
  if (CONTROL_CHARACTER.test(text)) return new InvalidCell('holds a control character');
  return text.replace(/\s+/g, ' ').normalize('NFC');
}

/** How the term is billed; blank and None mean once. */
export function billingPlanOf(text: string): BillingPlan | InvalidCell {
  return (
    BILLING_PLANS.get(text.toLowerCase().replace(/[\s_-]/g, '')) ??
    new InvalidCell('must be blank, None, Monthly, Annual or Triennial')
  );
}

/** For whom the price holds. */
export function segmentOf(text: string): Segment | InvalidCell {
  return (
    SEGMENTS.get(text.toLowerCase().replace(/[\s-]/g, '')) ??
    new InvalidCell('must be Commercial, Education, Charity or Government')
  );
}

/** A market that the gateway knows, by its ISO 3166-1 code. */
export function marketOf(text: string, markets: ReadonlySet<string>): string | InvalidCell {
  const code = text.toUpperCase();
  if (!/^[A-Z]{2}$/.test(code)) return new InvalidCell('must be a country by its two letters (ISO 3166-1) such as US');
  if (!markets.has(code))
    return new InvalidCell(
      'is not a market of this gateway; add it to the table markets, or leave its rows out with --keep-good',
    );
  return code;
}

/** A currency, by its ISO 4217 code. */
export function currencyOf(text: string): string | InvalidCell {
  const code = text.toUpperCase();
  return isCurrency(code) ? code : new InvalidCell('must be a currency by its three letters (ISO 4217) such as USD');
}

/** A price, as a decimal string with at least the digits of the currency’s minor unit. */
export function amountOf(text: string, currency: string | undefined): string | InvalidCell {
  if (text === '') return new InvalidCell('is blank');
  if (!/^\d+(\.\d+)?$/.test(text))
    return new InvalidCell(
      'must be digits with a decimal point: no sign, exponent, currency sign or thousands separator',
    );
  const [whole = '', fraction = ''] = text.split('.');
  if (whole.replace(/^0+/, '').length > 12) return new InvalidCell('must be below a million million');
  if (!/^\d{0,4}0*$/.test(fraction)) return new InvalidCell('must have at most 4 decimals');
  return formatAmount(text, currency ?? 'USD');
}

/** A bound of a pricing tier; blank: none. */
export function tierBound(text: string): number | null | InvalidCell {
  if (text === '') return null;
  if (!/^\d{1,10}$/.test(text) || Number(text) > LARGEST_INTEGER)
    return new InvalidCell('must be blank or a whole number');
  return Number(text);
}

/** The last quantity of a pricing tier; blank, or what is left of 2⁶³ - 1 after rounding: none. */
export function tierEnd(text: string): number | null | InvalidCell {
  return /^92233720368547\d{5}$/.test(text) ? null : tierBound(text);
}

const KEPT = new Set(['', 'unchanged', 'change', 'changed', 'update', 'updated', 'add', 'added', 'new']);
const REMOVED = new Set(['delete', 'deleted', 'remove', 'removed']);

/** Whether a row says that something is sold no more. */
export function isRemovedBy(changeIndicator = ''): boolean | InvalidCell {
  const change = changeIndicator.toLowerCase();
  if (REMOVED.has(change)) return true;
  return KEPT.has(change) ? false : new InvalidCell('must be blank, Unchanged, Change, Add or Delete');
}

/** An instant in any of the three spellings. */
export function dateOf(text: string, order: DateOrder | null): Date | InvalidCell {
  const at = parsePriceListDate(text, order);
  if (at === 'ambiguous')
    return new InvalidCell('can be read month first and day first; say which with --dates month-first or day-first');
  return (
    at ??
    new InvalidCell(
      `must be an existing day and time such as 2/1/2019 12:00:00 AM, 2/1/2023 0:00${order ? ` (${order})` : ''} or 2021-10-01T00:00:00.0000000Z`,
    )
  );
}

/** The instant at which a price ends. */
export function endOf(text: string, order: DateOrder | null): Date | InvalidCell {
  const end = dateOf(text, order);
  return end instanceof Date && end.getUTCFullYear() === OPEN_END.getUTCFullYear() ? OPEN_END : end;
}
