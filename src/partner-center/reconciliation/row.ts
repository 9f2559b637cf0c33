import { InvalidCell } from '../files/invalid-cell.js';
import { currencyOf, decimalOf, idOf, instantOf, isWithinCent, minus, ruinOf, tenantIdOf } from './cells.js';
import { chargeTypeOf } from './charge-types.js';
import type { ReconciliationColumn } from './columns.js';
import type { ReconciliationCells } from './read-lines.js';
import type { Spelling } from './spelling.js';

/** One line of Microsoft's, read. Amounts are decimal strings, days `YYYY-MM-DD`; null is what does not apply. */
export interface ReconciliationRow {
  customerTenantId: string;
  customerName: string;
  customerDomain: string | null;
  customerCountry: string | null;
  invoiceNumber: string | null;
  /** The order's number: 12 hexadecimal digits, out of OrderId or AlternateId. */
  orderNumber: string | null;
  /** The longer id of the order. */
  orderReference: string | null;
  orderedAt: string | null;
  productId: string | null;
  skuId: string | null;
  skuName: string | null;
  productName: string | null;
  publisher: string | null;
  chargeType: string;
  unitPrice: string | null;
  effectiveUnitPrice: string | null;
  exchangeRate: string | null;
  /** The change where the file has it (BillableQuantity), else the seats after it. */
  quantity: string;
  subtotal: string;
  taxTotal: string;
  total: string;
  currency: string;
  subscriptionId: string | null;
  chargeStart: string | null;
  chargeEnd: string | null;
  subscriptionStart: string | null;
  subscriptionEnd: string | null;
  termAndBillingCycle: string | null;
  billingFrequency: string | null;
}

/** Why a row is not taken. */
export interface Fault {
  column: ReconciliationColumn;
  value: string;
  reason: string;
}

/** What was mended or is odd about a row that is taken. */
export const Oddity = {
  SKU_ID_PADDED: 'SkuId had lost its zeros, as in a spreadsheet; they were put back',
  CHARGE_TYPE_UNKNOWN: 'ChargeType is one that is not known; it was kept as it is',
  TOTAL_DIFFERS: 'Total is not Subtotal and TaxTotal together',
} as const;
export type Oddity = keyof typeof Oddity;

/** Reads the cells of a row, or answers what is wrong with them, all of it. */
export function readRow(
  cells: ReconciliationCells,
  spelling: Spelling,
): { row: ReconciliationRow; oddities: Oddity[] } | { faults: Fault[] } {
  const faults: Fault[] = [];
  const take = <Value>(column: ReconciliationColumn, read: (text: string) => Value | InvalidCell): Value | null => {
    const value = cells[column] ?? '';
    const taken = ruinOf(value) ?? read(value);
    if (!(taken instanceof InvalidCell)) return taken;
    faults.push({ column, value, reason: taken.reason });
    return null;
  };
  const text = (column: ReconciliationColumn) => cells[column] || null;
  const day = (column: ReconciliationColumn) =>
    take(column, (cell) => instantOf(cell, spelling.dates))?.slice(0, 10) ?? null;
  const number = (column: ReconciliationColumn) =>
    take(column, (cell) => (cell ? decimalOf(cell, spelling.decimals) : null));
  const needed = (column: ReconciliationColumn) => take(column, (cell) => decimalOf(cell, spelling.decimals)) ?? '0';
  const id = (column: ReconciliationColumn): string | null => take(column, idOf);

  const orders = `${id('OrderId') ?? ''},${id('AlternateId') ?? ''}`.split(',').map((each) => each.trim());
  const isNumber = (each: string) => /^[0-9a-f]{12}$/i.test(each);
  const skuId = id('SkuId')?.toUpperCase() ?? null;
  const written = cells.ChargeType ?? '';
  const chargeType = chargeTypeOf(written);
  const subtotal = needed('Subtotal');
  const total = needed('Total');
  const taxTotal = number('TaxTotal') ?? (faults.length > 0 ? '0' : minus(total, subtotal));
  const row: ReconciliationRow = {
    customerTenantId: take('CustomerId', tenantIdOf) ?? '',
    customerName: cells.CustomerName || (text('CustomerId') as string),
    customerDomain: text('CustomerDomainName')?.toLowerCase() ?? null,
    customerCountry: text('CustomerCountry')?.toUpperCase() ?? null,
    invoiceNumber: id('InvoiceNumber'),
    orderNumber: orders.find(isNumber)?.toLowerCase() ?? null,
    orderReference: orders.find((each) => each !== '' && !isNumber(each)) ?? null,
    orderedAt: take('OrderDate', (cell) => instantOf(cell, spelling.dates)),
    productId: id('ProductId')?.toUpperCase() ?? null,
    skuId: skuId && /^[A-Z0-9]{1,3}$/.test(skuId) ? skuId.padStart(4, '0') : skuId,
    skuName: text('SkuName'),
    productName: text('ProductName'),
    publisher: text('PublisherName'),
    chargeType: chargeType ?? written,
    unitPrice: number('UnitPrice'),
    effectiveUnitPrice: number('EffectiveUnitPrice'),
    exchangeRate: number('PCToBCExchangeRate'),
    quantity: cells.BillableQuantity ? needed('BillableQuantity') : needed('Quantity'),
    subtotal,
    taxTotal,
    total,
    currency: take('Currency', currencyOf) ?? '',
    subscriptionId: id('SubscriptionId')?.toLowerCase() ?? null,
    chargeStart: day('ChargeStartDate'),
    chargeEnd: day('ChargeEndDate'),
    subscriptionStart: day('SubscriptionStartDate'),
    subscriptionEnd: day('SubscriptionEndDate'),
    termAndBillingCycle: text('TermAndBillingCycle'),
    billingFrequency: text('BillingFrequency'),
  };
  if (written === '') faults.push({ column: 'ChargeType', value: '', reason: 'is blank' });
  if (faults.length > 0) return { faults };
  const oddities: Oddity[] = [];
  if (row.skuId !== skuId) oddities.push('SKU_ID_PADDED');
  if (chargeType === null) oddities.push('CHARGE_TYPE_UNKNOWN');
  if (!isWithinCent(minus(total, subtotal, taxTotal))) oddities.push('TOTAL_DIFFERS');
  return { row, oddities };
}
